import { parentPort, workerData } from "node:worker_threads";
import { FileSource } from "../source/file.ts";
import { checksumOf } from "./checksums.ts";
import { type PartMessage, type Proof, provePart, takePart } from "./proof.ts";

const proof = workerData as Proof;
const post = (message: PartMessage) => parentPort?.postMessage(message);
const source = new FileSource(proof.name, proof.fd, proof.size, false);
const checksum = await checksumOf(proof.geometry);
for (let part = checksum && takePart(proof); checksum && part !== null; part = takePart(proof)) {
  try {
    post(await provePart(proof, source, checksum, part));
  } catch {
    post({ part, failed: true });
  }
}
