// Prints the header of an image: bun examples/print-header.ts sda1.img
import { ImageBackupError, openImage } from "vpartclone";

const [path = "sda1.img"] = process.argv.slice(2);
try {
  await using image = await openImage(path);
  console.log(image.toString());
} catch (error) {
  if (!(error instanceof ImageBackupError)) throw error;
  console.error("Failed to read image:", error.message);
  process.exitCode = 1;
}
