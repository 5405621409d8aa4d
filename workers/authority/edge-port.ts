/**
 * What the edge may ask the authority: the head, and the values that a head names. Nothing here changes
 * anything. Backward compatible by one version: edge and authority are deployed apart.
 */

export interface Asking {
  /** The `seq` that the asking isolate has; 0 for none. */
  readonly seq: number;
  /** Name of its data centre (`cf.colo`), for the propagation in the status. */
  readonly dataCentre: string;
}

export interface HeadAnswer {
  /** The `seq` that is current; 0 where nothing was ever changed. */
  readonly seq: number;
  /** The sealed head document without manifests; null where `seq` is the one that was asked with. */
  readonly sealed: Uint8Array<ArrayBuffer> | null;
}

export interface HeadSource {
  head(asking: Asking): Promise<HeadAnswer>;
  /** A value that the head names (manifest as JSON, segment, directory), or null. It is in KV too, soon. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

/** The one object that decides. */
export const AUTHORITY_NAME = 'main';
