/** What `work` makes of the resource, which it owns from then on; where it fails, that is closed. */
export async function handOver<R extends AsyncDisposable, T>(
  resource: R,
  work: (resource: R) => Promise<T>,
): Promise<T> {
  try {
    return await work(resource);
  } catch (error) {
    await resource[Symbol.asyncDispose]();
    throw error;
  }
}
