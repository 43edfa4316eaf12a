import { parentPort } from "node:worker_threads";
import { FileSource } from "../source/file.ts";
import { type PartMessage, type Proof, proverOf, takePart } from "./proof.ts";

const post = (message: PartMessage) => parentPort?.postMessage(message);
const proof = await new Promise<Proof>((resolve) => parentPort?.once("message", resolve));
const source = new FileSource(proof.name, proof.fd, proof.size, false);
const prove = await proverOf(proof, source);
for (let part = takePart(proof); part !== null; part = takePart(proof)) {
  try {
    post(prove(part));
  } catch {
    post({ part, failed: true });
  }
}
