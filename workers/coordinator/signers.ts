/**
 * Tracks the keys of RELEASE_PUBLIC_KEYS. Anyone who can set that secret decides whose lists a key may change, so the
 * audit log records every change of the secret. If the kind `signingKeys` waits for a second person, a new key cannot
 * promote a release until the proposal that the coordinator opens for the key is approved.
 */
import type { ReleaseKey } from '../../shared/release/signed.ts';
import { ok } from '../../shared/result.ts';
import {
  applied,
  type ChangeRequest,
  type ChangeResult,
  type CheckResult,
  systemRequest,
} from './change-request.ts';
import { refused } from './promotion.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';

/** Owners of keys, by key ID. */
type Owners = Readonly<Record<string, string>>;

export class Signers {
  readonly #tables: Tables;
  readonly #current: Owners;

  constructor(tables: Tables, publicKeys: readonly ReleaseKey[]) {
    this.#tables = tables;
    this.#current = Object.fromEntries(publicKeys.map(({ id, owner }) => [id, owner]));
  }

  get current(): Owners {
    return this.#current;
  }

  /** Records a change of the keys since the last start. */
  record(): void {
    const { meta, ledger } = this.#tables;
    const before = meta.json<object>('signers');
    const after = this.#current;
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    if (before === null) {
      meta.set('signers', after);
      return;
    }
    ledger.transact(systemRequest('RELEASE_PUBLIC_KEYS has changed'), FREEING_CHANGE, () => {
      meta.set('signers', after);
      return applied({}, [{ action: 'signers.change', subject: 'RELEASE_PUBLIC_KEYS', before, after }]);
    });
    if (Object.keys(after).some((id) => !this.#isApproved(id))) this.#propose();
  }

  /** The approved keys; null if keys need no approval. */
  get #approved(): Owners | null {
    const { meta, proposals } = this.#tables;
    return proposals.rules.kinds.includes('signingKeys') ? meta.json<Owners>('signersApproved') : null;
  }

  #isApproved(id: string): boolean {
    const approved = this.#approved;
    return approved === null || approved[id] === this.#current[id];
  }

  /** Whether the key may promote releases. Opens a proposal if a second person has to approve it first. */
  check({ id }: Pick<ReleaseKey, 'id'>): CheckResult {
    if (this.#isApproved(id)) return ok(undefined);
    const remedy = 'a second person must approve it: npx numgate proposals list';
    const proposed = this.#propose();
    const why = proposed.ok || proposed.code === 'APPROVAL_PENDING' ? remedy : proposed.message;
    return refused('SIGNER_UNAPPROVED', `the key ${id} that signed it is new, and ${why}`);
  }

  #propose(): ChangeResult<object> {
    return this.approve(systemRequest('RELEASE_PUBLIC_KEYS has new keys'));
  }

  /** Trusts the current keys. Waits for a second person like every change of this kind. */
  approve(request: ChangeRequest): ChangeResult<object> {
    const { meta, ledger } = this.#tables;
    return ledger.transact(request, FREEING_CHANGE, () => {
      const [before, after] = [meta.json<Owners>('signersApproved'), this.#current];
      meta.set('signersApproved', after);
      return applied({}, [{ action: 'signers.approve', subject: 'RELEASE_PUBLIC_KEYS', before, after }], {
        kinds: ['signingKeys'],
        command: { name: 'approveSigners' },
        revert: null,
      });
    });
  }
}
