/**
 * Records detections of enumeration, and restricts the organisation's clients that are configured for it. An admin lifts
 * a restriction like any other setting. There is at most one detection for each organisation and day, so a client
 * whose restriction was lifted is not restricted again on that day.
 */
import type { Client } from '../../shared/clients.ts';
import type { Detection } from '../../shared/enumeration/detect.ts';
import { ok } from '../../shared/result.ts';
import { type AppliedChange, applied, type ChangeResult, refuse, systemRequest } from './change-request.ts';
import type { ClientChanges } from './client-changes.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';

/** The restriction for each value of the client setting `onEnumeration`. */
const RESTRICTION = { report: null, throttle: 'throttled', stop: 'stopped' } as const;

export class EnumerationChanges {
  readonly #tables: Tables;
  readonly #clientChanges: ClientChanges;

  constructor(tables: Tables, clientChanges: ClientChanges) {
    this.#tables = tables;
    this.#clientChanges = clientChanges;
  }

  /**
   * @param day days since 1970
   * @returns whether the detection was recorded; false if the day already has one, or if the organisation is gone
   */
  async record(organisation: string, day: number, found: readonly Detection[]): Promise<boolean> {
    const { ledger, detections, clients, organisations } = this.#tables;
    const isKnown = (): boolean =>
      organisations.get(organisation) === null || detections.has(organisation, day);
    if (isKnown()) return false;
    const request = systemRequest('checks of the organisation looked like a scan of whole number ranges');
    if (this.#restricted(organisation).length === 0) {
      return ledger.transact(request, FREEING_CHANGE, () =>
        applied({}, [detections.add(organisation, day, found)]),
      ).ok;
    }
    const done = await this.#clientChanges.changeDirectory(request, () => {
      const restricted = new Map(this.#restricted(organisation).map((client) => [client.id, client]));
      const next = clients.all.map((client) => restricted.get(client.id) ?? client);
      const apply = (): ChangeResult<AppliedChange<object>> => {
        // Another change may have recorded the detection in the meantime.
        if (isKnown())
          return refuse(
            'ORGANISATION_UNKNOWN',
            'the organisation was removed, or already has a detection today',
          );
        const puts = [...restricted.values()].map((client) => clients.put(client.id, client));
        return applied({}, [detections.add(organisation, day, found), ...puts]);
      };
      return ok({ content: this.#tables.directoryContent({ clients: next }), apply });
    });
    return done.ok;
  }

  /** The clients of the organisation that a detection restricts, with their new settings. */
  #restricted(organisation: string): Client[] {
    return this.#tables.clients.all.flatMap((client) => {
      // Clients stored by older versions lack both settings.
      const restriction = RESTRICTION[client.onEnumeration ?? 'report'];
      const isWeaker = restriction === null || client.restriction === 'stopped';
      const isSame = restriction === (client.restriction ?? null);
      return client.organisation !== organisation || isWeaker || isSame ? [] : [{ ...client, restriction }];
    });
  }
}
