/** Two threads measured best on two cores; four were worse, and one leaves a core idle. */
export const SERVING_THREADS = 2;
