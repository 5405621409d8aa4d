/** A self-signed certificate for 127.0.0.1, for tests only. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const TLS_CERT = fileURLToPath(new URL('tls/cert.pem', import.meta.url));
export const TLS_KEY = fileURLToPath(new URL('tls/key.pem', import.meta.url));
/** The certificate of another party. */
export const OTHER_CERT = fileURLToPath(new URL('tls/other-cert.pem', import.meta.url));

export const cert = readFileSync(TLS_CERT);
export const key = readFileSync(TLS_KEY);
export const otherCert = readFileSync(OTHER_CERT);
