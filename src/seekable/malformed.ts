/** Compressed data contradict themselves; whoever knows the place makes it an error for people. */
export class Malformed extends Error {}

/** Their own checksum is not that of what they give: something that was decoded before is wrong. */
export class WrongChecksum extends Malformed {}
