/** Reads the lines of a snapshot: one entry each, encrypted like the data of events. */
export {};
