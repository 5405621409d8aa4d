/**
 * Changes of clients and admin tokens.
 */
import type { Token } from '../../shared/admin.ts';
import type { Client } from '../../shared/clients.ts';
import { CLIENTS_MAX, TOKENS_MAX } from '../../shared/limits.ts';
import type { BackgroundWork } from './background-work.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse } from './change-request.ts';
import { checkPrecondition, type Precondition } from './document-store.ts';
import { counted, FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

export class ClientChanges {
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #background: BackgroundWork;
  /** Clients are changed one at a time, because each change writes the directory to KV first. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(tables: Tables, values: ValueStore, background: BackgroundWork) {
    this.#tables = tables;
    this.#values = values;
    this.#background = background;
  }

  /**
   * Writes the changed directory to KV, then applies the change.
   * @param client null to remove it
   */
  putClient(
    request: ChangeRequest,
    id: string,
    client: Client | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    const turn = this.#turn.then(() => this.#putClient(request, id, client, condition));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #putClient(
    request: ChangeRequest,
    id: string,
    client: Client | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    const { ledger, clients } = this.#tables;
    const known = ledger.begin<{ seq: number }>(request, FREEING_CHANGE);
    if (known !== null) return known;
    const before = clients.get(id);
    if (client === null && before === null)
      return refuse('CLIENT_UNKNOWN', 'there is no client with this id');
    const allowed = checkPrecondition(condition, before);
    if (!allowed.ok) return allowed;
    const others = clients.all.filter((other) => other.id !== id);
    const next =
      client === null ? others : [...others, client].sort((one, other) => (one.id < other.id ? -1 : 1));
    if (next.length > CLIENTS_MAX) {
      return refuse('CLIENTS_TOO_MANY', `there are already ${CLIENTS_MAX} clients: remove one first`);
    }
    const directory = await this.#values.directoryOf(next);
    const done = await this.#values.publish([directory], () =>
      ledger.change(request, counted(FREEING_CHANGE), () => {
        this.#values.setDirectory(directory);
        return applied({}, [clients.put(id, client)]);
      }),
    );
    if (done.ok) this.#background.changed();
    return done;
  }

  /** @param token null to remove it */
  putToken(
    request: ChangeRequest,
    id: string,
    token: Token | null,
    condition: Precondition,
  ): ChangeResult<{ id: string }> {
    const { ledger, tokens } = this.#tables;
    return ledger.transact(request, FREEING_CHANGE, () => {
      const before = tokens.get(id);
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      if (token === null && before === null) return refuse('TOKEN_UNKNOWN', 'there is no token with this id');
      const audit = tokens.put(id, token);
      if (tokens.count > TOKENS_MAX) {
        return refuse('CLIENTS_TOO_MANY', `there are already ${TOKENS_MAX} tokens: remove one first`);
      }
      return applied({ id }, [audit]);
    });
  }
}
