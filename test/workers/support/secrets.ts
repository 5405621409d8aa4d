/**
 * The secrets of the test Worker: fixed, publicly known keys, so that runs are the same. Plain constants, because the
 * config of the test runner reads them too.
 */

/** The bytes 00 to 1f, as test/shared uses them. */
export const LIST_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

/** Ed25519 keys that the Worker trusts. */
export const RELEASE_PUBLIC_KEYS = 'RRf2a080bADxTm1bW1jI4bAZKFOiSLYZugcnBC9vu/Y=';
/** Their private half (PKCS #8, base64). */
export const RELEASE_PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIFJHMheix5ywj6KSgPn6162z4WfkuCL57n5zPBxvWsuE';

/** A key that the Worker does not trust. */
export const FOREIGN_PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIGC0mX0bAWPSt92FCR2LA4AR+boGnUKZrhHhhzek5ju5';
