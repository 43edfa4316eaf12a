import { expect, test } from "bun:test";
import { ChunkStream, SourceStream } from "../../src/source/stream.ts";
import { memorySource, pieces } from "../memory-source.ts";
import { streamSuite } from "./stream-suite.ts";

streamSuite("a source read in order", async (content) => new SourceStream(memorySource(content)));
streamSuite(
  "chunks of odd sizes, empty ones among them",
  async (content) => new ChunkStream("chunks", pieces(content, [65_536, 1, 0, 4_099])),
);
streamSuite(
  "one chunk",
  async (content) => new ChunkStream("chunk", pieces(content, [content.length])),
);

test("disposing a stream of chunks ends what makes them", async () => {
  let isEnded = false;
  async function* chunks() {
    try {
      for (;;) yield new Uint8Array(10);
    } finally {
      isEnded = true;
    }
  }
  const stream = new ChunkStream("chunks", chunks());
  await stream.read(new Uint8Array(5));
  await stream[Symbol.asyncDispose]();
  expect(isEnded).toBe(true);
});
