/**
 * The types of `env` and `exports` of cloudflare:workers in the test runtime.
 */
declare namespace Cloudflare {
  interface Env extends Readonly<import('../../../workers/env.ts').Env> {}
  interface GlobalProps {
    mainModule: typeof import('../../../workers/edge.ts');
  }
}
