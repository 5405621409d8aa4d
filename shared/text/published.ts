/** The text release, the campaigns and the key that an edge uses, as far as they are loaded. */
import { CampaignTable } from './campaign-table.ts';
import type { FingerprintKey } from './fingerprint.ts';
import type { HostTable } from './host-table.ts';
import type { TextModel } from './model.ts';
import type { HostListInfo, ModelInfo } from './text-manifest.ts';

export interface PublishedText {
  /** Version of the text store. Rises with every change; 0 before the first change. */
  readonly version: number;
  /** The text release; null if there is none. */
  readonly release: string | null;
  /** Null if the release has no model, or while the model cannot be loaded. */
  readonly model: { readonly info: ModelInfo; readonly model: TextModel } | null;
  readonly hosts: { readonly lists: readonly HostListInfo[]; readonly table: HostTable } | null;
  readonly campaigns: CampaignTable;
  /** Null without TEXT_KEY: no campaign is recognised. */
  readonly key: FingerprintKey | null;
}

/** The state before the first text release. */
export const NO_TEXT: PublishedText = {
  ...{ version: 0, release: null, model: null, hosts: null, campaigns: CampaignTable.EMPTY, key: null },
};
