/**
 * Certificates and delegations of your organisation. Signatures are made here, with your key, which never leaves the process.
 * Every method rejects with a {@link NumgateError}, as in the registrar.
 */
import { controlOf, type RegistrarCall, type RegistrarOptions } from './control.ts';
import { type HolderJwk, type HolderKey, signProof } from './holder-key.ts';
import type { RegistrationReason } from './registration-types.ts';

/** A certificate that an issuer signed, as the service knows it. Sets of values that may grow are open strings. */
export interface Certificate {
  /** Names the certificate in a chain. */
  readonly digest: string;
  readonly organisation: string;
  readonly issuer: string;
  /** `valid`, `rateReduced`, `suspended`, `revoked` or `expired`. */
  readonly state: string;
  /** Set if its issuer may not sign it now. The certificate then counts as suspended. */
  readonly held?: true;
  /** The holder, in the words of the issuer. */
  readonly sub: string;
  readonly numbers: readonly string[];
  /** `fixed`, `mobile`, `voip` or `representative`. */
  readonly line: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly expires: string;
  /** Thumbprint of your key. */
  readonly key: string;
  /** Status in the status list of the issuer. */
  readonly status: string;
  readonly statusList: { readonly uri: string; readonly index: number };
  readonly clients: readonly string[];
  /** IDs of the registrations that rest on the certificate. Empty until they exist. */
  readonly registrations: readonly string[];
  /** Why there are no registrations. */
  readonly reasons?: readonly RegistrationReason[];
  readonly certificate: string;
  readonly createdAt: string;
}

/** States that an agent may send for a principal. */
export interface Delegation {
  readonly id: string;
  /** `proposed`, `accepted`, `active`, `suspended`, `rejected`, `withdrawn`, `revoked` or `expired`. */
  readonly state: string;
  readonly principal: string;
  readonly agent: string;
  /** Digest of the principal's own certificate or delegation. */
  readonly link: string;
  readonly numbers: readonly string[];
  /** `sms`, `voice`. */
  readonly scope: readonly string[];
  /** ISO 8601. */
  readonly notBefore: string;
  readonly expires: string;
  /** Organisations from the owner of the numbers to the agent. */
  readonly chain: readonly string[];
  /** Thumbprint of the agent's key; null until it has accepted. */
  readonly key: string | null;
  /** What the principal has to sign. Only in the state `accepted`. */
  readonly toSign?: { readonly header: object; readonly claims: object };
  /** Null until the principal has confirmed the delegation. */
  readonly digest: string | null;
  readonly delegation: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A delegation to propose. */
export interface DelegationContent {
  readonly agent: string;
  /** Digest of your certificate, or of the delegation that you are the agent of. */
  readonly link: string;
  readonly numbers: readonly string[];
  readonly scope: readonly string[];
  /** ISO 8601; now if omitted. */
  readonly notBefore?: string;
  readonly expires: string;
}

export interface CertificateUpload {
  /** The certificate as compact JWS. */
  readonly certificate: string;
  /** The key that the certificate names. */
  readonly key: HolderKey;
  /** Clients that may send from the numbers of the certificate. */
  readonly clients: readonly string[];
  /** Your own name for the registrations of the certificate. */
  readonly reference?: string;
}

export interface CredentialRegistrar {
  /** Uploads a certificate with a proof that you have its key. A repeated upload changes nothing. */
  addCertificate(upload: CertificateUpload, call?: RegistrarCall): Promise<Certificate>;
  certificate(digest: string, call?: RegistrarCall): Promise<Certificate>;
  certificates(call?: RegistrarCall): AsyncGenerator<Certificate, void, undefined>;
  /** Call this as the principal. */
  propose(delegation: DelegationContent, call?: RegistrarCall): Promise<Delegation>;
  /** Call this as the agent. @param key signs your tokens */
  accept(id: string, key: Pick<HolderKey, 'publicKey'>, call?: RegistrarCall): Promise<Delegation>;
  /** Call this as the principal. @param key of your own certificate or delegation @throws {TypeError} unless accepted */
  confirm(id: string, key: HolderKey, call?: RegistrarCall): Promise<Delegation>;
  /** @param action `reject` as the agent; `withdraw`, `suspend`, `resume` or `revoke` as the principal */
  move(id: string, action: string, call?: RegistrarCall): Promise<Delegation>;
  delegation(id: string, call?: RegistrarCall): Promise<Delegation>;
  /** Delegations of which you are the principal or the agent. */
  delegations(call?: RegistrarCall): AsyncGenerator<Delegation, void, undefined>;
}

/** @throws {TypeError} if the URL is not valid */
export function makeCredentialRegistrar(options: RegistrarOptions): CredentialRegistrar {
  const { get, change } = controlOf(options, '');
  const certificates = '/certificates';
  const one = (id: string): string => `/delegations/${encodeURIComponent(id)}`;
  const move = (id: string, action: string, body: object, call?: RegistrarCall): Promise<Delegation> =>
    change(`${one(id)}/${encodeURIComponent(action)}`, body, call);

  async function* pages<Value>(path: string, name: string, call?: RegistrarCall): AsyncGenerator<Value> {
    for (let after: string | null = ''; after !== null; ) {
      const query: string = after === '' ? '' : `?${new URLSearchParams({ after })}`;
      const page: Readonly<Record<string, unknown>> = await get(path + query, call);
      yield* page[name] as Value[];
      after = page.next as string | null;
    }
  }

  return {
    addCertificate: async ({ certificate, key, clients, reference }, call) => {
      const proof = await signProof(key, { organisation: options.organisation, certificate });
      const named = reference === undefined ? {} : { reference };
      return change(
        certificates,
        { certificate, key: key.publicKey satisfies HolderJwk, proof, clients, ...named },
        call,
      );
    },
    certificate: (digest, call) => get(`${certificates}/${encodeURIComponent(digest)}`, call),
    certificates: (call) => pages(certificates, 'certificates', call),
    propose: (delegation, call) => change('/delegations', { delegation }, call),
    accept: (id, { publicKey }, call) => move(id, 'accept', { key: publicKey }, call),
    confirm: async (id, key, call) => {
      const { state, toSign } = await get<Delegation>(one(id), call);
      if (toSign === undefined)
        throw new TypeError(`the delegation is ${state}: there is nothing to confirm`);
      const signed = await key.sign('sender-delegation+jwt', { ...toSign.claims });
      return move(id, 'confirm', { delegation: signed }, call);
    },
    move: (id, action, call) => move(id, action, {}, call),
    delegation: (id, call) => get(one(id), call),
    delegations: (call) => pages('/delegations', 'delegations', call),
  };
}
