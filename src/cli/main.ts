/** The one executable that `bun run build` makes: all commands, by the name it is called by. */
import { basename } from "node:path";

const programs = {
  vpartclone: () => import("./vpartclone.ts"),
  vntfsclone: () => import("./vntfsclone.ts"),
  vclonezilla: () => import("./vclonezilla.ts"),
  vconform: () => import("./vconform.ts"),
} as const;

const isProgram = (name: string): name is keyof typeof programs => Object.hasOwn(programs, name);

/** By the first argument, else by its own or a link's name; whatever else it is, it is vpartclone. */
function chosen(): keyof typeof programs {
  const [, , first = ""] = process.argv;
  if (isProgram(first)) {
    process.argv.splice(2, 1);
    return first;
  }
  const called = basename(process.argv0);
  return isProgram(called) ? called : "vpartclone";
}

await programs[chosen()]();
