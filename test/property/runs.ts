/** How often a property is tried: a thousand times, more in the long run. */
export const numRuns = Number(process.env.PROPERTY_RUNS ?? 1000);
/** A property that builds an image each time takes seconds; one of the long run, hours. */
export const propertyTimeout = numRuns * 60 + 20_000;
