import { expect, test } from "bun:test";
import { mountAt, parseMountTable } from "../../src/fuse/mount-table.ts";

const TABLE = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
31 22 0:27 / /proc rw,nosuid shared:12 master:2 - proc proc rw
40 22 0:39 / /mnt/a\\040b\\134c\\011d\\012e rw - fuse.vpartclone /images/x\\040y,\\134z\\043 ro,user_id=0
41 40 0:40 / /mnt/a\\040b\\134c\\011d\\012e rw - tmpfs none rw
`;

test("mount points and sources are unescaped; optional fields may be many or none", () => {
  const table = parseMountTable(TABLE);
  expect(table.map((entry) => entry.type)).toEqual(["ext4", "proc", "fuse.vpartclone", "tmpfs"]);
  expect(table[2]).toEqual({
    identity: "40 22 0:39",
    device: "0:39",
    mountPoint: "/mnt/a b\\c\td\ne",
    type: "fuse.vpartclone",
    source: "/images/x y,\\z#",
  });
});

test("lines that are none are passed over", () => {
  expect(parseMountTable("\n1 2\nx - y\n - \n")).toEqual([]);
});

test("the root is mounted, and a path that is none is not", () => {
  expect(mountAt("/")).not.toBeNull();
  expect(mountAt("/no/such/path")).toBeNull();
});
