/**
 * The secrets of the test Worker: fixed, publicly known keys, so that runs are equal. They are plain constants, because the
 * config of the test runner reads them too.
 */

/** The bytes 00 to 1f, as in test/shared. */
export const LIST_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

/** Ed25519 keys that the Worker trusts: its own key, and the keys of two organisations. */
export const RELEASE_PUBLIC_KEYS = [
  'RRf2a080bADxTm1bW1jI4bAZKFOiSLYZugcnBC9vu/Y=',
  'ktoa:pptSghntPWmeoTG6GuxbFMvWw6APO3hmzM6XHYRQvcY=',
  'acme:rHOrGoD1XvDDbZ0sNhzhHvNWrEOQ5bBhbgZoXLhrVhA=',
].join(',');
/** The private half of the first key (PKCS #8, base64). */
export const RELEASE_PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIFJHMheix5ywj6KSgPn6162z4WfkuCL57n5zPBxvWsuE';

/** The private halves of the organisations' keys. */
export const KTOA_PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIM851NzRslAzhu4y8ou32C3yqx9VTYUiBSUbUHUQM1CH';
export const ACME_PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIDW6LNGcCONcLtWIEVYVbwQeHDOXXAC/w9y0IevI0xv7';

/** Signs checkpoints of the audit log. */
export const CHECKPOINT_KEY =
  'PRIVATE+KEY+numgate.example/test+937fbd13+ARc5GXLXIQZ7CJBhNUA6lFQjiqYSLo1FfQAZul5Cyyin';

/** The bytes 40 to 5f. */
export const SHARING_KEY = 'QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=';

/** The bytes 60 to 7f. */
export const TEXT_KEY = 'YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=';

/** A key that the Worker does not trust. */
export const FOREIGN_PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIGC0mX0bAWPSt92FCR2LA4AR+boGnUKZrhHhhzek5ju5';

/** For the token `root`: a digest whose secret nobody knows. */
export const ROOT_TOKEN_SHA256 = '0'.repeat(64);
