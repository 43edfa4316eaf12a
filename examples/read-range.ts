// Reads 42 bytes at offset 100000 and dumps them in hex: bun examples/read-range.ts sda1.img
import { BlockIO, openImage } from "vpartclone";

const [path = "sda1.img"] = process.argv.slice(2);
await using image = await openImage(path);
const data = await new BlockIO(image).readData(100_000, 42);
console.log([...data].map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
