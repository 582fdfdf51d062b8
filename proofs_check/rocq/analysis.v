(* Textbook lemmas that the ledger's claims name (proofs_check/lemmas.py), proved. *)
Require Import Reals Ranalysis5 Lra Lia List.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(* f(b) - f(a) = f'(c) (b - a) for some c in (a, b). *)
Lemma mean_value (f df : R -> R) (a b : R) : a < b ->
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  exists c, f b - f a = df c * (b - a) /\ a < c < b.
Proof.
intros ab D. apply MVT_cor2; [exact ab |].
intros c C. apply is_derive_Reals. exact (D c C).
Qed.

Lemma continuous_of_derive (f : R -> R) (x l : R) : is_derive f x l -> continuity_pt f x.
Proof.
intro D. apply derivable_continuous_pt. exists l. apply is_derive_Reals. exact D.
Qed.

(* A function with derivative >= 0 on an interval does not decrease there. *)
Lemma nondecreasing (f df : R -> R) (a b : R) : a <= b ->
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  (forall x, a <= x <= b -> 0 <= df x) -> f a <= f b.
Proof.
intros ab D S. destruct (Req_dec a b) as [-> | N]; [lra |].
destruct (mean_value f df a b) as [c [E [C1 C2]]]; [lra | exact D |].
assert (0 <= df c) by (apply S; lra).
assert (0 <= df c * (b - a)) by (apply Rmult_le_pos; lra). lra.
Qed.

(* Lemma "monotone". *)
Theorem monotone_up (f df : R -> R) (a b : R) :
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  (forall x, a <= x <= b -> 0 < df x) ->
  forall x y, a <= x -> x < y -> y <= b -> f x < f y.
Proof.
intros D S x y ax xy yb.
destruct (mean_value f df x y) as [c [E [C1 C2]]]; [exact xy | intros z Z; apply D; lra |].
assert (0 < df c) by (apply S; lra).
assert (0 < df c * (y - x)) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

Theorem monotone_down (f df : R -> R) (a b : R) :
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  (forall x, a <= x <= b -> df x < 0) ->
  forall x y, a <= x -> x < y -> y <= b -> f y < f x.
Proof.
intros D S x y ax xy yb.
destruct (mean_value f df x y) as [c [E [C1 C2]]]; [exact xy | intros z Z; apply D; lra |].
assert (df c < 0) by (apply S; lra).
assert (0 < (- df c) * (y - x)) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

(* Lemma "constant of motion". *)
Theorem constant_of_motion (f : R -> R) (a b : R) :
  (forall x, a <= x <= b -> is_derive f x 0) -> forall x, a <= x <= b -> f x = f a.
Proof.
intros D x X. destruct (Req_dec a x) as [-> | N]; [reflexivity |].
destruct (mean_value f (fun _ => 0) a x) as [c [E _]]; [lra | intros z Z; apply D; lra | lra].
Qed.

(* A continuous function has an antiderivative. *)
Lemma antiderivative (a : R -> R) : (forall t, continuous a t) ->
  forall t, is_derive (fun t => RInt a 0 t) t (a t).
Proof.
intros C t. apply (is_derive_RInt a (fun t => RInt a 0 t) 0 t); [| exact (C t)].
exists (mkposreal 1 Rlt_0_1). intros y _. apply (@RInt_correct R_CompleteNormedModule a 0 y).
apply (@ex_RInt_continuous R_CompleteNormedModule). intros z _. exact (C z).
Qed.

(* Lemma "integrating factor": v' >= -a v keeps v > 0. *)
Theorem integrating_factor (v dv a : R -> R) (T : R) : 0 <= T ->
  (forall t, continuous a t) ->
  (forall t, 0 <= t <= T -> is_derive v t (dv t)) ->
  (forall t, 0 <= t <= T -> - a t * v t <= dv t) ->
  0 < v 0 -> 0 < v T.
Proof.
intros T0 C D I P.
pose (A := fun t => RInt a 0 t).
assert (DA : forall t, is_derive A t (a t)) by exact (antiderivative a C).
assert (G : v 0 * exp (A 0) <= v T * exp (A T)).
{ apply (nondecreasing (fun t => v t * exp (A t))
    (fun t => (dv t + a t * v t) * exp (A t))); [exact T0 | |].
  - intros t Z. evar_last.
    + apply (is_derive_mult v (fun t => exp (A t)) t (dv t) (a t * exp (A t))); [exact (D t Z) | |].
      * apply (is_derive_comp exp A t (exp (A t)) (a t)); [apply is_derive_exp | exact (DA t)].
      * intros n m. apply Rmult_comm.
    + unfold plus, mult; simpl. ring.
  - intros t Z. apply Rmult_le_pos; [specialize (I t Z); lra | apply Rlt_le, exp_pos]. }
assert (Q : 0 < v T * exp (A T)).
{ apply Rlt_le_trans with (2 := G). apply Rmult_lt_0_compat; [exact P | apply exp_pos]. }
apply Rmult_lt_reg_r with (exp (A T)); [apply exp_pos |]. rewrite Rmult_0_l. exact Q.
Qed.

(* Lemma "Gronwall". *)
Theorem gronwall_above (w dw : R -> R) (a T : R) : 0 <= T ->
  (forall t, 0 <= t <= T -> is_derive w t (dw t)) ->
  (forall t, 0 <= t <= T -> dw t <= a * w t) -> w T <= w 0 * exp (a * T).
Proof.
intros T0 D I.
assert (G : - (w 0 * exp (- a * 0)) <= - (w T * exp (- a * T))).
{ apply (nondecreasing (fun t => - (w t * exp (- a * t)))
    (fun t => - ((dw t - a * w t) * exp (- a * t)))); [exact T0 | |].
  - intros t Z. evar_last.
    + apply (is_derive_opp (fun t => w t * exp (- a * t))).
      apply (is_derive_mult w (fun t => exp (- a * t)) t (dw t) (- a * exp (- a * t)));
        [exact (D t Z) | auto_derive; [trivial | ring] | intros; apply Rmult_comm].
    + unfold opp, plus, mult; simpl. ring.
  - intros t Z. specialize (I t Z).
    assert (0 <= (a * w t - dw t) * exp (- a * t)) by
      (apply Rmult_le_pos; [lra | apply Rlt_le, exp_pos]). lra. }
replace (- a * 0) with 0 in G by ring. rewrite exp_0 in G.
assert (E : exp (- a * T) * exp (a * T) = 1)
  by (rewrite <- exp_plus; replace (- a * T + a * T) with 0 by ring; exact exp_0).
assert (P := exp_pos (a * T)).
replace (w T) with (w T * (exp (- a * T) * exp (a * T))) by (rewrite E; ring).
rewrite <- Rmult_assoc. apply Rmult_le_compat_r; lra.
Qed.

Theorem gronwall_below (w dw : R -> R) (a T : R) : 0 <= T ->
  (forall t, 0 <= t <= T -> is_derive w t (dw t)) ->
  (forall t, 0 <= t <= T -> a * w t <= dw t) -> w 0 * exp (a * T) <= w T.
Proof.
intros T0 D I.
assert (G := gronwall_above (fun t => - w t) (fun t => - dw t) a T T0).
assert (H : - w T <= - w 0 * exp (a * T)).
{ apply G.
  - intros t Z. apply (is_derive_opp w). exact (D t Z).
  - intros t Z. specialize (I t Z). lra. }
lra.
Qed.

(* Lemma "variation of constants", its part about signs: f <= 0 keeps y < 0, and y falls where
   a > 0. *)
Theorem variation_of_constants (y dy a f : R -> R) (T : R) : 0 <= T ->
  (forall t, continuous a t) ->
  (forall t, 0 <= t <= T -> is_derive y t (dy t)) ->
  (forall t, 0 <= t <= T -> dy t = a t * y t + f t) ->
  (forall t, 0 <= t <= T -> f t <= 0) ->
  y 0 < 0 -> y T < 0 /\ (0 < a T -> dy T < 0).
Proof.
intros T0 C D E F N.
assert (P : 0 < - y T).
{ apply (integrating_factor (fun t => - y t) (fun t => - dy t) (fun t => - a t) T T0).
  - intro t. apply (continuous_opp a). exact (C t).
  - intros t Z. apply (is_derive_opp y). exact (D t Z).
  - intros t Z. rewrite (E t Z). specialize (F t Z). lra.
  - lra. }
split; [lra |]. intro A. rewrite (E T) by lra.
assert (f T <= 0) by (apply F; lra).
assert (0 < a T * - y T) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

(* The square of the positive part has the derivative 2 max(x, 0). *)
Lemma derive_positive_square (x : R) : is_derive (fun x => Rmax x 0 * Rmax x 0) x (2 * Rmax x 0).
Proof.
apply is_derive_Reals. intros eps E. exists (mkposreal eps E). intros h H0 H. simpl in H.
assert (B : Rabs (Rmax (x + h) 0 * Rmax (x + h) 0 - Rmax x 0 * Rmax x 0 - 2 * Rmax x 0 * h)
  <= h * h).
{ unfold Rmax. destruct (Rle_dec (x + h) 0), (Rle_dec x 0); apply Rabs_le; split; nra. }
replace ((Rmax (x + h) 0 * Rmax (x + h) 0 - Rmax x 0 * Rmax x 0) / h - 2 * Rmax x 0)
  with ((Rmax (x + h) 0 * Rmax (x + h) 0 - Rmax x 0 * Rmax x 0 - 2 * Rmax x 0 * h) / h)
  by (field; exact H0).
unfold Rdiv. rewrite Rabs_mult.
apply Rle_lt_trans with (h * h * Rabs (/ h)).
- apply Rmult_le_compat_r; [apply Rabs_pos | exact B].
- rewrite Rabs_inv.
  assert (Hp : 0 < Rabs h) by (apply Rabs_pos_lt; exact H0).
  replace (h * h) with (Rabs h * Rabs h) by (rewrite <- Rabs_mult; apply Rabs_pos_eq; nra).
  rewrite Rmult_assoc, Rinv_r by lra. lra.
Qed.

(* Lemma "comparison": K is a Lipschitz constant of f(t, .) on a range that holds both curves. *)
Theorem comparison (f : R -> R -> R) (u v dv : R -> R) (T K low high : R) : 0 <= T -> 0 <= K ->
  (forall t x y, 0 <= t <= T -> low <= x <= high -> low <= y <= high ->
    Rabs (f t x - f t y) <= K * Rabs (x - y)) ->
  (forall t, 0 <= t <= T -> low <= u t <= high /\ low <= v t <= high) ->
  (forall t, 0 <= t <= T -> is_derive u t (f t (u t))) ->
  (forall t, 0 <= t <= T -> is_derive v t (dv t)) ->
  (forall t, 0 <= t <= T -> f t (v t) <= dv t) ->
  u 0 <= v 0 -> u T <= v T.
Proof.
intros T0 K0 L B Du Dv I S.
pose (w := fun t => u t - v t).
pose (h := fun t => Rmax (w t) 0 * Rmax (w t) 0).
assert (G : h T <= h 0 * exp (2 * K * T)).
{ apply (gronwall_above h (fun t => 2 * Rmax (w t) 0 * (f t (u t) - dv t))); [exact T0 | |].
  - intros t Z. evar_last.
    + apply (is_derive_comp (fun x => Rmax x 0 * Rmax x 0) w t (2 * Rmax (w t) 0)
        (f t (u t) - dv t)); [apply derive_positive_square |].
      apply (is_derive_minus u v); [exact (Du t Z) | exact (Dv t Z)].
    + unfold scal; simpl; unfold mult; simpl. ring.
  - intros t Z. unfold h. destruct (B t Z) as [Bu Bv].
    assert (Q := L t (u t) (v t) Z Bu Bv). assert (J := I t Z).
    unfold Rmax. destruct (Rle_dec (w t) 0) as [N | N]; [lra |].
    unfold w in *. rewrite (Rabs_pos_eq (u t - v t)) in Q by lra.
    assert (f t (u t) - dv t <= K * (u t - v t)).
    { assert (A := Rle_abs (f t (u t) - f t (v t))). lra. }
    assert (0 <= (u t - v t) * (K * (u t - v t) - (f t (u t) - dv t)))
      by (apply Rmult_le_pos; lra).
    lra. }
assert (Z : h 0 = 0).
{ unfold h, w, Rmax. destruct (Rle_dec (u 0 - v 0) 0); lra. }
rewrite Z, Rmult_0_l in G. unfold h, w, Rmax in G.
destruct (Rle_dec (u T - v T) 0) as [N | N]; [lra |].
assert (0 < (u T - v T) * (u T - v T)) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

(* Lemma "convex": above the tangents, and between the ends of a chord below it. *)
Theorem convex_tangent (f df ddf : R -> R) (a b x y : R) :
  (forall z, a <= z <= b -> is_derive f z (df z)) ->
  (forall z, a <= z <= b -> is_derive df z (ddf z)) ->
  (forall z, a <= z <= b -> 0 <= ddf z) ->
  a <= x <= b -> a <= y <= b -> f x + df x * (y - x) <= f y.
Proof.
intros D DD S X Y. destruct (Rtotal_order x y) as [L | [-> | L]].
- destruct (mean_value f df x y L) as [c [E [C1 C2]]]; [intros z Z; apply D; lra |].
  assert (df x <= df c).
  { apply (nondecreasing df ddf); [lra | intros z Z; apply DD; lra | intros z Z; apply S; lra]. }
  assert (0 <= (df c - df x) * (y - x)) by (apply Rmult_le_pos; lra). lra.
- lra.
- destruct (mean_value f df y x L) as [c [E [C1 C2]]]; [intros z Z; apply D; lra |].
  assert (df c <= df x).
  { apply (nondecreasing df ddf); [lra | intros z Z; apply DD; lra | intros z Z; apply S; lra]. }
  assert (0 <= (df x - df c) * (x - y)) by (apply Rmult_le_pos; lra). lra.
Qed.

Theorem convex_chord (f df ddf : R -> R) (a b s : R) : a <= b -> 0 <= s <= 1 ->
  (forall z, a <= z <= b -> is_derive f z (df z)) ->
  (forall z, a <= z <= b -> is_derive df z (ddf z)) ->
  (forall z, a <= z <= b -> 0 <= ddf z) ->
  f (a + s * (b - a)) <= (1 - s) * f a + s * f b.
Proof.
intros ab S01 D DD S. set (m := a + s * (b - a)).
assert (M : a <= m <= b).
{ unfold m. assert (0 <= s * (b - a)) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - s) * (b - a)) by (apply Rmult_le_pos; lra). lra. }
assert (A := convex_tangent f df ddf a b m a D DD S M ltac:(lra)).
assert (B := convex_tangent f df ddf a b m b D DD S M ltac:(lra)).
assert (0 <= (1 - s) * (f a - (f m + df m * (a - m)))) by (apply Rmult_le_pos; lra).
assert (0 <= s * (f b - (f m + df m * (b - m)))) by (apply Rmult_le_pos; lra).
assert (Z : (1 - s) * (a - m) + s * (b - m) = 0) by (unfold m; ring).
assert (W : df m * ((1 - s) * (a - m) + s * (b - m)) = 0) by (rewrite Z; ring). lra.
Qed.

(* Lemma "intermediate value" on [a, infinity), f tending to its limit at infinity. *)
Theorem intermediate_value (f : R -> R) (a limit : R) :
  (forall x, a <= x -> continuity_pt f x) ->
  (forall x y, a <= x -> x < y -> f x < f y) ->
  is_lim f p_infty limit ->
  forall y, (f a < y < limit -> exists! x, a < x /\ f x = y) /\
    (forall x, a < x -> f a < f x < limit).
Proof.
intros C S L y.
assert (Above : forall x, a <= x -> f x < limit).
{ intros x X. apply is_lim_spec in L. simpl in L.
  assert (P : 0 < f (x + 1) - f x) by (assert (f x < f (x + 1)) by (apply S; lra); lra).
  destruct (Rlt_le_dec (f x) limit) as [Y | N]; [exact Y | exfalso].
  destruct (L (mkposreal _ P)) as [M HM]. simpl in HM.
  set (z := Rmax M (x + 1) + 1).
  assert (M < z /\ x + 1 < z) as [Z1 Z2].
  { unfold z. split; [assert (M <= Rmax M (x + 1)) by apply Rmax_l |
      assert (x + 1 <= Rmax M (x + 1)) by apply Rmax_r]; lra. }
  assert (f (x + 1) < f z) by (apply S; lra).
  specialize (HM z Z1). apply Rabs_lt_between in HM. lra. }
split; [| intros x X; split; [apply S; lra | apply Above; lra]].
intros [Y1 Y2]. apply is_lim_spec in L. simpl in L.
assert (P : 0 < limit - y) by lra.
destruct (L (mkposreal _ P)) as [M HM]. simpl in HM.
set (b := Rmax M a + 1).
assert (M < b /\ a < b) as [B1 B2].
{ unfold b. split; [assert (M <= Rmax M a) by apply Rmax_l |
    assert (a <= Rmax M a) by apply Rmax_r]; lra. }
specialize (HM b B1). apply Rabs_lt_between in HM.
destruct (IVT_interv (fun x => f x - y) a b) as [x [X E]].
- intros x X. apply continuity_pt_minus; [apply C; lra |].
  apply continuity_pt_const. intros p q. reflexivity.
- exact B2.
- lra.
- lra.
- assert (a < x) by (destruct (Req_dec a x) as [<- | N]; lra).
  exists x. split; [lra |]. intros x' [X' E'].
  destruct (Rtotal_order x x') as [O | [O | O]]; [| exact O |].
  + assert (f x < f x') by (apply S; lra). lra.
  + assert (f x' < f x) by (apply S; lra). lra.
Qed.

(* Lemma "growth": a positive r whose logarithmic derivative is at least m > 0 while r < 1 gets
   to 1 by the time ln(1/r(0))/m. *)
Theorem growth (r dr : R -> R) (m : R) : 0 < m -> 0 < r 0 < 1 ->
  (forall t, 0 <= t -> is_derive r t (dr t)) ->
  (forall t, 0 <= t -> r t < 1 -> m * r t <= dr t) ->
  exists t, 0 <= t <= - ln (r 0) / m /\ 1 <= r t.
Proof.
intros M [P0 P1] D I. set (T := - ln (r 0) / m).
assert (T0 : 0 < T).
{ unfold T. apply Rdiv_lt_0_compat; [| exact M]. assert (ln (r 0) < ln 1) by (apply ln_increasing; lra).
  rewrite ln_1 in *. lra. }
destruct (continuity_ab_maj r 0 T) as [x [X1 X2]]; [lra | |].
{ intros c C. apply (continuous_of_derive r c (dr c)). apply D. lra. }
destruct (Rlt_le_dec (r x) 1) as [N | Y]; [exfalso | exists x; split; [exact X2 | exact Y]].
assert (G : r 0 * exp (m * T) <= r T).
{ apply (gronwall_below r dr); [lra | intros t Z; apply D; lra |].
  intros t Z. apply I; [lra |]. apply Rle_lt_trans with (2 := N). apply X1. exact Z. }
replace (m * T) with (- ln (r 0)) in G by (unfold T; field; lra).
rewrite exp_Ropp, exp_ln in G by exact P0. rewrite Rinv_r in G by lra.
assert (r T <= r x) by (apply X1; lra). lra.
Qed.

(* Lemma "sum of nonnegatives". *)
Theorem sum_of_nonnegatives (l : list R) : List.Forall (fun x => 0 <= x) l ->
  0 <= fold_right Rplus 0 l /\ (fold_right Rplus 0 l = 0 <-> List.Forall (fun x => x = 0) l).
Proof.
induction 1 as [| x l X F [P Q]]; simpl.
- split; [lra |]. split; [constructor | reflexivity].
- split; [lra |]. split.
  + intro E. constructor; [lra | apply Q; lra].
  + intro E. inversion E. subst. assert (fold_right Rplus 0 l = 0) by (apply Q; assumption). lra.
Qed.

(* Lemma "unbounded". *)
Theorem unbounded (f g : R -> R) (a : R) : (forall x, a <= x -> g x <= f x) ->
  is_lim g p_infty p_infty -> forall K, exists x, a <= x /\ K < f x.
Proof.
intros H L K. apply is_lim_spec in L. destruct (L K) as [M HM].
exists (Rmax M a + 1).
assert (M <= Rmax M a) by apply Rmax_l. assert (a <= Rmax M a) by apply Rmax_r.
split; [lra |]. apply Rlt_le_trans with (g (Rmax M a + 1)); [apply HM; lra | apply H; lra].
Qed.

(* Lemma "induction", of a property of the iterates. *)
Theorem induction (P : nat -> Prop) : P O -> (forall n, P n -> P (S n)) -> forall n, P n.
Proof. exact (nat_ind P). Qed.

(* Lemma "ratio". *)
Theorem ratio (x : nat -> R) (q : R) : 1 < q -> (forall n, 0 < x n) ->
  is_lim_seq (fun n => x (S n) / x n) q -> forall K, exists n, K < x n.
Proof.
intros Q P L K. set (p := (1 + q) / 2).
apply is_lim_seq_spec in L. assert (E : 0 < q - p) by (unfold p; lra).
destruct (L (mkposreal _ E)) as [N HN]. simpl in HN.
assert (G : forall k, x N * p ^ k <= x (N + k)%nat).
{ induction k as [| k IH]; [rewrite Nat.add_0_r; simpl; lra |].
  rewrite Nat.add_succ_r. assert (B : Rabs (x (S (N + k)) / x (N + k)%nat - q) < q - p) by (apply HN; lia). apply Rabs_lt_between in B.
  assert (X := P (N + k)%nat).
  assert (p * x (N + k)%nat <= x (S (N + k)%nat)).
  { replace (x (S (N + k))) with (x (S (N + k)) / x (N + k)%nat * x (N + k)%nat) by (field; lra).
    apply Rmult_le_compat_r; lra. }
  assert (p * (x N * p ^ k) <= p * x (N + k)%nat) by (apply Rmult_le_compat_l; [unfold p; lra | exact IH]).
  simpl. lra. }
destruct (Pow_x_infinity p) with (b := Rabs K / x N + 1) as [k Hk].
{ rewrite Rabs_pos_eq; unfold p; lra. }
exists (N + k)%nat. specialize (G k). specialize (Hk k (le_n k)). assert (X := P N).
rewrite Rabs_pos_eq in Hk by (apply pow_le; unfold p; lra).
assert (x N * (Rabs K / x N + 1) <= x N * p ^ k) by (apply Rmult_le_compat_l; lra).
replace (x N * (Rabs K / x N + 1)) with (Rabs K + x N) in H by (field; lra).
assert (A := Rle_abs K). lra.
Qed.

(* Lemma "strict minima": g = f' is differentiable; where it is 0 its own derivative is positive. *)
Lemma near (g : R -> R) (x l eps : R) : is_derive g x l -> 0 < eps ->
  exists d, 0 < d /\ forall h, h <> 0 -> Rabs h < d ->
    Rabs (g (x + h) - g x - l * h) < eps * Rabs h.
Proof.
intros D E. apply is_derive_Reals in D. destruct (D eps E) as [d H]. exists d.
split; [exact (cond_pos d) |]. intros h N B. specialize (H h N B).
replace (g (x + h) - g x - l * h) with (((g (x + h) - g x) / h - l) * h) by (field; exact N).
rewrite Rabs_mult. apply Rmult_lt_compat_r; [apply Rabs_pos_lt; exact N | exact H].
Qed.

Lemma keeps_sign (g : R -> R) (x l : R) : is_derive g x l -> 0 < g x ->
  exists d, 0 < d /\ forall z, Rabs (z - x) < d -> 0 < g z.
Proof.
intros D P. destruct (near g x l 1 D Rlt_0_1) as [d [D0 H]].
assert (A := Rabs_pos l). set (e := g x / (Rabs l + 1)).
assert (E0 : 0 < e) by (apply Rdiv_lt_0_compat; lra).
exists (Rmin d e). split; [apply Rmin_glb_lt; assumption |]. intros z Z.
destruct (Req_dec z x) as [-> | N]; [exact P |].
assert (Z1 : Rabs (z - x) < d) by (apply Rlt_le_trans with (1 := Z); apply Rmin_l).
assert (Z2 : Rabs (z - x) < e) by (apply Rlt_le_trans with (1 := Z); apply Rmin_r).
specialize (H (z - x) ltac:(lra) Z1). replace (x + (z - x)) with z in H by ring.
apply Rabs_lt_between in H.
assert (B : Rabs (l * (z - x)) = Rabs l * Rabs (z - x)) by apply Rabs_mult.
assert (C := Rle_abs (- (l * (z - x)))). rewrite Rabs_Ropp, B in C.
assert ((Rabs l + 1) * Rabs (z - x) < (Rabs l + 1) * e) by (apply Rmult_lt_compat_l; lra).
replace ((Rabs l + 1) * e) with (g x) in * by (unfold e; field; lra). lra.
Qed.

Lemma through_zero (g : R -> R) (x l : R) : is_derive g x l -> g x = 0 -> 0 < l ->
  exists d, 0 < d /\ (forall z, x < z < x + d -> 0 < g z) /\ (forall z, x - d < z < x -> g z < 0).
Proof.
intros D Z P. destruct (near g x l l D P) as [d [D0 H]]. exists d.
split; [exact D0 |]. split; intros z B; specialize (H (z - x) ltac:(lra)).
- rewrite Rabs_pos_eq in H by lra. specialize (H ltac:(lra)).
  replace (x + (z - x)) with z in H by ring. apply Rabs_lt_between in H. lra.
- rewrite Rabs_left in H by lra. specialize (H ltac:(lra)).
  replace (x + (z - x)) with z in H by ring. apply Rabs_lt_between in H. lra.
Qed.

Lemma no_return (g dg : R -> R) (a b : R) : a < b ->
  (forall x, a <= x <= b -> is_derive g x (dg x)) ->
  (forall x, a <= x <= b -> g x = 0 -> 0 < dg x) ->
  0 <= g a -> 0 < g b.
Proof.
intros ab D S G0.
pose (E := fun x => a <= x <= b /\ forall z, a < z <= x -> 0 < g z).
assert (Start : exists d, 0 < d /\ forall z, a < z < a + d -> 0 < g z).
{ destruct (Rle_lt_or_eq_dec 0 (g a) G0) as [P | Z].
  - destruct (keeps_sign g a (dg a)) as [d [D0 H]]; [apply D; lra | exact P |].
    exists d. split; [exact D0 |]. intros z B. apply H. rewrite Rabs_pos_eq; lra.
  - destruct (through_zero g a (dg a)) as [d [D0 [H _]]];
      [apply D; lra | lra | apply S; lra |].
    exists d. split; [exact D0 | exact H]. }
destruct Start as [d [D0 H]].
destruct (completeness E) as [s [Up Least]].
{ exists b. intros x [X _]. lra. }
{ exists a. split; [lra | intros z Z; lra]. }
assert (As : a < s).
{ set (y := Rmin (a + d / 2) b). assert (y <= a + d / 2) by apply Rmin_l.
  assert (y <= b) by apply Rmin_r. assert (a < y) by (apply Rmin_glb_lt; lra).
  assert (E y). { split; [lra |]. intros z Z. apply H. lra. }
  assert (y <= s) by (apply Up; assumption). lra. }
assert (sb : s <= b) by (apply Least; intros x [X _]; lra).
assert (Before : forall z, a < z < s -> 0 < g z).
{ intros z Z. destruct (Rlt_le_dec 0 (g z)) as [Y | N]; [exact Y | exfalso].
  assert (s <= z); [| lra]. apply Least. intros x [X Q].
  destruct (Rlt_le_dec z x) as [L | L]; [| exact L]. specialize (Q z ltac:(lra)). lra. }
assert (Gs : 0 < g s).
{ destruct (Rtotal_order 0 (g s)) as [P | [Z | N]]; [exact P | exfalso | exfalso].
  - destruct (through_zero g s (dg s)) as [e [E0 [_ Q]]];
      [apply D; lra | lra | apply S; lra |].
    set (z := Rmax (s - e / 2) ((a + s) / 2)).
    assert (s - e / 2 <= z) by apply Rmax_l. assert ((a + s) / 2 <= z) by apply Rmax_r.
    assert (z < s) by (apply Rmax_lub_lt; lra).
    specialize (Q z ltac:(lra)). specialize (Before z ltac:(lra)). lra.
  - destruct (keeps_sign (fun x => - g x) s (- dg s)) as [e [E0 Q]];
      [apply (is_derive_opp g); apply D; lra | lra |].
    set (z := Rmax (s - e / 2) ((a + s) / 2)).
    assert (s - e / 2 <= z) by apply Rmax_l. assert ((a + s) / 2 <= z) by apply Rmax_r.
    assert (z < s) by (apply Rmax_lub_lt; lra).
    specialize (Q z ltac:(rewrite Rabs_left; lra)). specialize (Before z ltac:(lra)). lra. }
destruct (Req_dec s b) as [<- | N]; [exact Gs | exfalso].
destruct (keeps_sign g s (dg s)) as [e [E0 Q]]; [apply D; lra | exact Gs |].
set (y := Rmin (s + e / 2) b). assert (y <= s + e / 2) by apply Rmin_l.
assert (y <= b) by apply Rmin_r. assert (s < y) by (apply Rmin_glb_lt; lra).
assert (E y).
{ split; [lra |]. intros z Z. destruct (Rlt_le_dec z s) as [L | L]; [apply Before; lra |].
  apply Q. rewrite Rabs_pos_eq; lra. }
assert (y <= s) by (apply Up; assumption). lra.
Qed.

Theorem strict_minima (f df ddf : R -> R) (a b : R) :
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  (forall x, a <= x <= b -> is_derive df x (ddf x)) ->
  (forall x, a <= x <= b -> df x = 0 -> 0 < ddf x) ->
  forall x, a <= x <= b -> df x = 0 ->
    (forall y, a <= y -> y < x -> df y < 0) /\ (forall y, x < y -> y <= b -> 0 < df y).
Proof.
intros D DD S x X Z. split; intros y Y1 Y2.
- destruct (Rlt_le_dec (df y) 0) as [L | L]; [exact L | exfalso].
  assert (0 < df x); [| lra]. apply (no_return df ddf y x); [lra | | | exact L].
  + intros z B. apply DD. lra.
  + intros z B. apply S. lra.
- apply (no_return df ddf x y); [lra | | | lra].
  + intros z B. apply DD. lra.
  + intros z B. apply S. lra.
Qed.

(* Lemma "telescoping". *)
Lemma summable (s a : nat -> R) (L : R) :
  (forall j, 0 <= a j) -> (forall j, s (S j) <= s j - a j) -> (forall j, L <= s j) -> ex_series a.
Proof.
intros A D B.
assert (P : forall n, sum_n a n <= s O - s (S n)).
{ induction n as [| n I]; [rewrite sum_O; specialize (D O); lra |].
  rewrite sum_Sn. unfold plus; simpl. specialize (D (S n)). lra. }
assert (F : ex_finite_lim_seq (sum_n a)).
{ apply ex_finite_lim_seq_incr with (M := s O - L).
  - intro n. rewrite sum_Sn. unfold plus; simpl. specialize (A (S n)). lra.
  - intro n. specialize (P n). specialize (B (S n)). lra. }
destruct F as [l H]. exists l. exact H.
Qed.

Theorem telescoping (s a x : nat -> R) (L C : R) :
  (forall j, 0 <= a j) -> (forall j, s (S j) <= s j - a j) -> (forall j, L <= s j) ->
  (forall j, Rabs (x (S j) - x j) <= C * a j) ->
  is_lim_seq a 0 /\ ex_finite_lim_seq x.
Proof.
intros A D B X. assert (Q := summable s a L A D B). split; [exact (ex_series_lim_0 a Q) |].
assert (T : ex_series (fun j => x (S j) - x j)).
{ apply (ex_series_le (fun j => x (S j) - x j) (fun j => C * a j)); [exact X |].
  exact (ex_series_scal C a Q). }
destruct T as [l H]. exists (x O + l).
apply is_lim_seq_incr_1.
apply is_lim_seq_ext with (u := fun n => x O + sum_n (fun j => x (S j) - x j) n).
{ induction n as [| n I]; [rewrite sum_O; simpl; ring |].
  rewrite sum_Sn. unfold plus; simpl. rewrite <- Rplus_assoc, I. ring. }
apply (is_lim_seq_plus' (fun _ => x O) (sum_n (fun j => x (S j) - x j)) (x O) l);
  [apply is_lim_seq_const | exact H].
Qed.

Definition analysis := (monotone_up, monotone_down, constant_of_motion, integrating_factor,
  gronwall_above, gronwall_below, variation_of_constants, comparison, convex_tangent, convex_chord,
  intermediate_value, growth, sum_of_nonnegatives, unbounded, induction, ratio, strict_minima,
  telescoping).
