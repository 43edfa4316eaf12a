/** Compressed data contradict themselves; whoever knows the place makes it an error for people. */
export class Malformed extends Error {}
