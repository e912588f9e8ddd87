/** Proof that something is held. */
export interface Lease extends Disposable {
  /** True when the last holder died holding it: what it guards may be half written. */
  readonly abandoned: boolean;
  /** Lets go. A second time, or after somebody else let go in its place, it does nothing. */
  release(): void;
}
