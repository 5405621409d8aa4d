/** The store of registrations of one organisation, called over RPC like the routes do. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { Actor } from '../../../shared/admin/actor.ts';
import type { Failure, Result } from '../../../shared/result.ts';
import type { Scope } from '../../../shared/roles.ts';
import type {
  Registration,
  RegistrationAction,
  RegistrationContent,
  RegistrationFacts,
} from '../../../shared/senders/registration.ts';
import type { RegistrationStub } from '../../../workers/admin/registration-context.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type {
  Published,
  PublishedChange,
  QueueChange,
  RegistryObject,
} from '../../../workers/storage/registry-port.ts';
import type { StoreRequest, StoreResult } from '../../../workers/storage/store-request.ts';

export const ORGANISATION = 'acme';

export function stub(organisation = ORGANISATION): DurableObjectStub {
  return (env as unknown as ControlEnv).REGISTRATIONS.getByName(organisation) as unknown as DurableObjectStub;
}

export function store(organisation = ORGANISATION): RegistrationStub {
  return stub(organisation) as unknown as RegistrationStub;
}

function actorOf(name: string, organisation: string, scope: Scope): Actor {
  return { name: `token:${name}`, organisation, authority: null, scopes: [scope], root: false };
}

export function asSender(key: string | null = null, sha256 = 'same'): StoreRequest {
  const actor = actorOf('acme', ORGANISATION, 'registrations');
  return { actor, reason: 'test', repeat: key === null ? null : { key, sha256 } };
}

export function asReviewer(name = 'kisa'): StoreRequest {
  return { actor: actorOf(name, name, 'review'), reason: 'test', repeat: null };
}

export function facts(rest: Partial<RegistrationFacts> = {}): RegistrationFacts {
  return {
    organisation: ORGANISATION,
    now: Date.now(),
    clients: [
      { id: 'acme-main', mock: false },
      { id: 'acme-other', mock: false },
      { id: 'acme-mock', mock: true },
    ],
    protectedNumbers: [],
    ...rest,
  };
}

export const DIGEST = 'ab'.repeat(32);
export const SERVICE_USE = { kind: 'serviceUse', sha256: DIGEST, reference: null, expires: null } as const;

export function content(rest: Partial<RegistrationContent> = {}): RegistrationContent {
  return {
    ...{ number: '+8215881234', basis: 'own', holder: { kind: 'organisation', name: 'Acme' } },
    ...{ clients: ['acme-main'], proofs: [SERVICE_USE], expires: null, reference: null },
    ...rest,
  };
}

export function accepted<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

export async function create(rest: Partial<RegistrationContent> = {}, submit = true): Promise<Registration> {
  return accepted(await store().create(asSender(), facts(), content(rest), submit));
}

export function act(
  id: string,
  action: RegistrationAction,
  request: StoreRequest = ['submit', 'close'].includes(action) ? asSender() : asReviewer(),
): Promise<StoreResult<Registration>> {
  const reasons = ['reject', 'requestUpdate'].includes(action)
    ? [{ field: 'proofs', code: 'PROOF_UNREADABLE', detail: 'cannot be read', help: 'send it again' }]
    : [];
  return store().act(request, facts(), Number(id), { action, reasons, isRoot: false }, { match: null });
}

/** Submits, claims and approves a registration. */
export async function approved(rest: Partial<RegistrationContent> = {}): Promise<Registration> {
  const { id } = await create(rest);
  accepted(await act(id, 'claim'));
  return accepted(await act(id, 'approve'));
}

export interface SentBatch {
  readonly n: number;
  readonly changes: readonly PublishedChange[];
  readonly queue: readonly QueueChange[];
}

/** Replaces the registry in the object of the store. @returns the batches that the registry accepted */
export async function withRegistry(
  publish: (batch: SentBatch) => Published = ({ n }) => ({
    ok: true,
    value: { version: n },
  }),
): Promise<SentBatch[]> {
  const sent: SentBatch[] = [];
  const registry: Pick<RegistryObject, 'publish'> = {
    publish: async (_organisation, n, changes, queue) => {
      const done = publish({ n, changes, queue });
      if (done.ok) sent.push({ n, changes, queue });
      return done;
    },
  };
  await runInDurableObject(stub(), (instance) => {
    const object = instance as unknown as { env: object };
    Object.defineProperty(object, 'env', {
      value: { ...object.env, REGISTRY: { getByName: () => registry } },
      configurable: true,
    });
  });
  return sent;
}
