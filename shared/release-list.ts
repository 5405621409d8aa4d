/** The list of releases on the wire: `GET /v1/admin/releases`. */
import type { ReleaseInfo } from './admin/releases.ts';

/** A manifest under `staged/` that was refused before it became a release, such as for a wrong signature. */
export interface StagedRefusal {
  /** The name under which it was staged. */
  readonly release: string;
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

/** `GET /v1/admin/releases` */
export interface ReleaseList {
  /** Newest first. */
  readonly releases: readonly ReleaseInfo[];
  /** Newest first. Older services omit it. */
  readonly refused?: readonly StagedRefusal[];
}
