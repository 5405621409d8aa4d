/** A signer of PASSporTs that uses only WebCrypto and no code of the service. */

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface SignerKeys {
  readonly privateKey: CryptoKey;
  /** x and y of the public key, 64 bytes. */
  readonly point: Uint8Array<ArrayBuffer>;
}

export async function makeSigner(): Promise<SignerKeys> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(ES256, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const raw = (await crypto.subtle.exportKey('raw', publicKey)) as ArrayBuffer;
  return { privateKey, point: new Uint8Array(raw, 1) };
}

/** A compact JWS of exactly these texts. */
export async function signTexts(header: string, claims: string, { privateKey }: SignerKeys): Promise<string> {
  const signed = `${base64Url(new TextEncoder().encode(header))}.${base64Url(new TextEncoder().encode(claims))}`;
  const signature = await crypto.subtle.sign(ES256, privateKey, new TextEncoder().encode(signed));
  return `${signed}.${base64Url(new Uint8Array(signature))}`;
}

export function signPassport(header: object, claims: object, keys: SignerKeys): Promise<string> {
  return signTexts(JSON.stringify(header), JSON.stringify(claims), keys);
}

function base64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
