/**
 * Accepts status lists, pushed or pulled, and updates the certificates. The `iat` of a list never goes back, so that
 * nobody can make a revoked certificate valid again with an old list.
 */
import type { StatusListDone, StatusListInfo } from '../../shared/admin/credentials.ts';
import { statusHostOf } from '../../shared/credentials/certificate.ts';
import {
  claimedUri,
  inflate,
  type Status,
  type StatusList,
  type VerifiedStatusList,
  verifyStatusList,
} from '../../shared/credentials/status-list.ts';
import {
  STATUS_PULL_TTL_DEFAULT_S,
  STATUS_PULL_TTL_MAX_S,
  STATUS_PULL_TTL_MIN_S,
} from '../../shared/limits/credential-store.ts';
import {
  ISSUER_STATUS_LISTS_BYTES_MAX,
  ISSUER_STATUS_LISTS_MAX,
  STATUS_LISTS_BYTES_MAX,
  STATUS_LISTS_MAX,
} from '../../shared/limits/credentials.ts';
import { ok } from '../../shared/result.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import type { StoredIssuer } from './issuers.ts';
import type { StoredStatusList } from './status-list-rows.ts';
import type { Tables } from './tables.ts';

/** If more entries changed, reading all certificates of the list costs less than a look-up of each entry. */
const LOOK_UPS_MAX = 10_000;

export class StatusListChanges {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  get infos(): StatusListInfo[] {
    const nowS = Math.floor(Date.now() / 1000);
    return this.#tables.lists.all.map(({ uri, issuer, iat, exp, size, bits, pullAt, problem }) => ({
      ...{ uri, issuer, issuedAt: timeOf(iat), expires: timeOf(exp), entries: size, bits },
      certificates: this.#tables.certificates.count('uri', uri, nowS),
      ...{ pullAt: new Date(pullAt).toISOString(), problem },
    }));
  }

  /**
   * Verifies a list and stores it.
   * @param uri the required URI, null for any @param isPulled if so, a list that changes nothing gets no audit record
   */
  async accept(
    request: StoreRequest,
    text: string,
    uri: string | null,
    isPulled: boolean,
  ): Promise<StoreResult<Omit<StatusListDone, 'version'>>> {
    const verified = await this.#verify(text, uri);
    if (!verified.ok) return verified;
    const { list, stored } = verified.value;
    const before = this.#tables.lists.get(list.uri);
    const earlier = before && (await inflate(this.#tables.lists.deflated(list.uri), before.bits));
    return this.#tables.transact(request, 0, (author) => {
      const known = this.#tables.lists.get(list.uri);
      // Another request replaced the list while this one inflated the earlier list.
      if (known?.iat !== before?.iat)
        return old('another status list was accepted at the same time: send this one again');
      if (known !== null && known.issuer !== stored.issuer.id)
        return refuse('STATUS_LIST_INVALID', `the status list belongs to the issuer "${known.issuer}"`);
      const order = known && earlier && checkOrder(list, known, earlier);
      if (order && !order.ok) return order;
      if (order?.value === 'same') {
        this.#tables.lists.setPulled(list.uri, nextPullAt(known!), null);
        return ok({ uri: list.uri, changed: 0 });
      }
      const room = this.#noRoom(list, stored.issuer.id);
      if (room !== null) return room;
      this.#tables.lists.put(list, stored.issuer.id, nextPullAt(list));
      const changed = this.#follow(list.uri, list.list, earlier);
      this.#tables.publication.changed();
      if (changed > 0 || !isPulled) {
        this.#tables.audit.append(author, `status list ${list.uri}`, {
          ...{ action: 'status.accept', before: known && { iat: known.iat, entries: known.size } },
          after: { iat: list.iat, exp: list.exp, entries: list.list.size, changed, pulled: isPulled },
        });
      }
      return ok({ uri: list.uri, changed });
    });
  }

  async #verify(
    text: string,
    uri: string | null,
  ): Promise<StoreResult<{ list: VerifiedStatusList; stored: StoredIssuer }>> {
    const claimed = claimedUri(text);
    if (claimed === null || (uri !== null && claimed !== uri)) {
      const what =
        claimed === null ? 'is not a status list token with a URI in "sub"' : 'has another URI in "sub"';
      return refuse('STATUS_LIST_INVALID', `the status list ${what}`);
    }
    const host = statusHostOf(claimed);
    const stored = host === null ? null : this.#tables.issuers.byHost(host);
    if (stored === null)
      return refuse('STATUS_LIST_INVALID', 'the status list is on a host that belongs to no issuer');
    if (stored.issuer.state !== 'active')
      return refuse('STATUS_LIST_INVALID', `the issuer "${stored.issuer.id}" is suspended`);
    const verified = await verifyStatusList(
      text,
      (kid) => stored.rights.keys.get(kid) ?? null,
      Math.floor(Date.now() / 1000),
    );
    if (!verified.ok) return refuse(verified.code, `the status list ${verified.message}`);
    return ok({ list: verified.value, stored });
  }

  #noRoom({ uri, list }: VerifiedStatusList, issuer: string): StoreRefusal | null {
    // One of the lists is the service's own.
    const all = { whose: 'all issuers together', lists: STATUS_LISTS_MAX - 1, bytes: STATUS_LISTS_BYTES_MAX };
    const own = {
      ...{ whose: `the issuer "${issuer}"`, lists: ISSUER_STATUS_LISTS_MAX },
      bytes: ISSUER_STATUS_LISTS_BYTES_MAX,
    };
    for (const [max, of] of [
      [own, issuer],
      [all, null],
    ] as const) {
      const { lists, bytes } = this.#tables.lists.usage(of, uri);
      if (lists < max.lists && bytes + list.bytes.length <= max.bytes) continue;
      const most = `${max.lists} status lists, with ${max.bytes.toLocaleString('en')} bytes decompressed`;
      return refuse('STATUS_LISTS_TOO_MANY', `${max.whose} may have at most ${most}`);
    }
    return null;
  }

  /** Whether the issuer of a list may still publish it on this host. */
  isOfIssuer({ uri, issuer: id }: StoredStatusList): boolean {
    const host = statusHostOf(uri);
    const issuer = host === null ? undefined : this.#tables.issuers.byHost(host)?.issuer;
    return issuer?.id === id && issuer.state === 'active';
  }

  /** @returns how many certificates changed their status */
  #follow(uri: string, list: StatusList, earlier: StatusList | null): number {
    const { certificates } = this.#tables;
    const indexes = earlier === null ? null : changedEntries(earlier, list, LOOK_UPS_MAX);
    // An index out of range has no known status, so registrations may not rest on it.
    const statusOf = (index: number): Status => list.at(index) ?? 'suspended';
    const changed: (readonly [digest: string, status: Status, isHeld: boolean])[] = [];
    if (indexes === null) {
      for (const { digest, index, status, isHeld } of certificates.entries(uri))
        if (statusOf(index) !== status) changed.push([digest, statusOf(index), isHeld]);
    } else {
      for (const index of indexes)
        for (const { digest, isHeld } of certificates.withIndex(uri, index))
          changed.push([digest, statusOf(index), isHeld]);
    }
    for (const [digest, status, isHeld] of changed) certificates.setStatus(digest, status, isHeld);
    return changed.length;
  }
}

/**
 * When to pull the list again, in ms since 1970: after its `ttl`, but before it ends, and sooner if pulls fail.
 * @param failures in a row
 */
export function nextPullAt({ ttl, exp }: Pick<StoredStatusList, 'ttl' | 'exp'>, failures = 0): number {
  const now = Date.now();
  const leftS = exp - now / 1000;
  const seconds = Math.min(
    ttl ?? STATUS_PULL_TTL_DEFAULT_S,
    leftS > 0 ? leftS / 2 : STATUS_PULL_TTL_MAX_S,
    failures > 0 ? STATUS_PULL_TTL_MIN_S * 2 ** (failures - 1) : STATUS_PULL_TTL_MAX_S,
  );
  return now + Math.max(seconds, STATUS_PULL_TTL_MIN_S) * 1000;
}

/** Whether the list may replace the known list; `same` if the two are equal. */
function checkOrder(
  list: VerifiedStatusList,
  known: StoredStatusList,
  earlier: StatusList,
): StoreResult<'newer' | 'same'> {
  if (list.iat > known.iat) return ok('newer');
  if (list.iat < known.iat) return old('the known list has a later "iat": publish a new list');
  const isSame =
    list.exp === known.exp &&
    list.list.bits === earlier.bits &&
    list.list.size === earlier.size &&
    changedEntries(earlier, list.list, 0)?.length === 0;
  return isSame
    ? ok('same')
    : old('the known list has the same "iat" and other content: publish yours with a later "iat"');
}

function old(detail: string): StoreRefusal {
  return refuse('STATUS_LIST_OLD', `the status list is not new: ${detail}`);
}

/** The indexes of entries that differ; null if more than `most` differ, or if entries have different sizes. */
export function changedEntries(before: StatusList, after: StatusList, most: number): number[] | null {
  if (before.bits !== after.bits) return null;
  const changed: number[] = [];
  const perByte = 8 / after.bits;
  const bytes = Math.max(before.bytes.length, after.bytes.length);
  for (let at = 0; at < bytes; at++) {
    if (before.bytes[at] === after.bytes[at]) continue;
    for (let index = at * perByte; index < (at + 1) * perByte; index++) {
      if (before.at(index) === after.at(index)) continue;
      if (changed.length === most) return null;
      changed.push(index);
    }
  }
  return changed;
}

/** The status of an entry for a new certificate, or why the certificate is refused. */
export function statusFor(list: StatusList, index: number): StoreResult<Status> {
  const status = list.at(index);
  if (status === null)
    return refuse('CERTIFICATE_INVALID', '"certificate" names an index that its status list does not have');
  return refusalOf(status) ?? ok(status);
}

/** Why a certificate with this status cannot be uploaded; null if it can. */
export function refusalOf(status: Status): StoreRefusal | null {
  if (status === 'revoked')
    return refuse('CERTIFICATE_REVOKED', '"certificate" is revoked by its status list');
  if (status === 'suspended')
    return refuse('CERTIFICATE_SUSPENDED', '"certificate" is suspended by its status list');
  return null;
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
