/** Shows a file's files by each kernel driver of the table, which fails, and prints what it says. */
import { fileSystems } from "../../src/files/file-systems.ts";
import { showFiles } from "../../src/files/show.ts";
import { waysToFiles } from "../../src/files/ways.ts";

const [partition = "", directory = ""] = process.argv.slice(2);
const owner = { uid: 7, gid: 8, mode: 0o100640 };

for (const fileSystem of fileSystems) {
  const host = { isRoot: true, mayAllowOthers: false, hasDriver: () => true, program: () => null };
  for (const way of waysToFiles(fileSystem, host, owner)) {
    try {
      showFiles([way], partition, directory);
    } catch (error) {
      console.log(error instanceof Error ? error.message : error);
    }
  }
}
