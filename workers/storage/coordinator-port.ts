/**
 * The methods of the coordinator that the edge can call: they read the head and the values that a head names. Nothing
 * here changes state. Backward compatible by one version, because edge and control are deployed separately.
 */
import type { Client, Right } from '../../shared/clients.ts';

export interface HeadRequest {
  /** The `seq` of the calling isolate; 0 for none. */
  readonly seq: number;
  /** Data centre of the isolate (`cf.colo`), for the propagation in the status. */
  readonly dataCentre: string;
  /** IDs of the keys in the isolate's LIST_KEY. */
  readonly keyIds?: readonly string[];
}

export interface HeadSource {
  /**
   * The current `seq` (0 before the first change), and the sealed head document without manifests: null if
   * the caller's `seq` is current.
   */
  head(
    request: HeadRequest,
  ): Promise<{ readonly seq: number; readonly sealed: Uint8Array<ArrayBuffer> | null }>;
  /**
   * A value that the head names (manifest as JSON, segment, directory), or null. KV gets the same value,
   * possibly later.
   */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

/** What control needs from the coordinator to admit the clients that it serves. */
export interface ClientSource {
  /** The clients of active organisations that have this right. */
  clientsWith(right: Right): Promise<readonly Client[]>;
}

/** The name of the only coordinator. */
export const COORDINATOR_NAME = 'main';

/** The clients with a right, by ID, as `ClientAdmission` keeps them. */
export async function readClientsWith(
  right: Right,
  coordinators: { getByName(name: string): object },
): Promise<{ readonly clients: ReadonlyMap<string, Client> }> {
  const coordinator = coordinators.getByName(COORDINATOR_NAME) as ClientSource;
  const clients = await coordinator.clientsWith(right);
  return { clients: new Map(clients.map((client) => [client.id, client])) };
}
