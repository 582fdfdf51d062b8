(* Lemmas about systems, limits and sequences: a state is a function of the component's number,
   0 to m. Goes on where analysis.v ends. *)

(* Lemma "monotone limit". *)
Theorem monotone_limit_up (f df : R -> R) (M : R) :
  (forall t, 0 <= t -> is_derive f t (df t)) -> (forall t, 0 <= t -> 0 <= df t) ->
  (forall t, 0 <= t -> f t <= M) ->
  (exists L : R, is_lim f p_infty L) /\ (forall l : R, is_lim df p_infty l -> l = 0).
Proof.
intros D S B. split.
- assert (Up : forall s t, 0 <= s -> s <= t -> f s <= f t).
  { intros s t S0 St. apply (nondecreasing f df); [exact St | |]; intros z Z; [apply D | apply S]; lra. }
  destruct (completeness (fun y => exists t, 0 <= t /\ y = f t)) as [L [Top Least]].
  { exists M. intros y [t [T0 ->]]. exact (B t T0). }
  { exists (f 0). exists 0. split; [lra | reflexivity]. }
  exists L. apply is_lim_spec. intro eps. assert (E := cond_pos eps).
  destruct (Classical_Prop.classic (exists s, 0 <= s /\ L - eps < f s)) as [[s [S0 H]] | N].
  + exists s. intros t T0. assert (f s <= f t) by (apply Up; lra).
    assert (f t <= L) by (apply Top; exists t; split; [lra | reflexivity]).
    apply Rabs_lt_between. lra.
  + exfalso. assert (L <= L - eps); [| lra]. apply Least. intros y [t [T0 ->]].
    destruct (Rle_lt_dec (f t) (L - eps)) as [Y | Y]; [exact Y | exfalso].
    apply N. exists t. split; [exact T0 | exact Y].
- intros l H. apply is_lim_spec in H. simpl in H.
  destruct (Rtotal_order l 0) as [Neg | [Z | Pos]]; [exfalso | exact Z | exfalso].
  + assert (P : 0 < - l) by lra. destruct (H (mkposreal _ P)) as [N HN]. simpl in HN.
    assert (A : N <= Rmax N 0) by apply Rmax_l. assert (A0 : 0 <= Rmax N 0) by apply Rmax_r.
    specialize (HN (Rmax N 0 + 1) ltac:(lra)). specialize (S (Rmax N 0 + 1) ltac:(lra)).
    apply Rabs_lt_between in HN. lra.
  + assert (P : 0 < l / 2) by lra. destruct (H (mkposreal _ P)) as [N HN]. simpl in HN.
    assert (A : N <= Rmax N 0) by apply Rmax_l. assert (A0 : 0 <= Rmax N 0) by apply Rmax_r.
    set (s := Rmax N 0 + 1). assert (Bs : f s <= M) by (apply B; unfold s; lra).
    set (w := (M - f s + 1) / (l / 2)).
    assert (W : 0 < w) by (apply Rdiv_lt_0_compat; lra).
    destruct (mean_value f df s (s + w)) as [c [E [C1 C2]]]; [lra | intros z Z; apply D; unfold s in *; lra |].
    assert (Q : l / 2 < df c) by (specialize (HN c ltac:(unfold s in *; lra)); apply Rabs_lt_between in HN; lra).
    replace (s + w - s) with w in E by ring.
    assert (l / 2 * w < df c * w) by (apply Rmult_lt_compat_r; assumption).
    assert (l / 2 * w = M - f s + 1) by (unfold w; field; lra).
    assert (f (s + w) <= M) by (apply B; unfold s in *; lra). lra.
Qed.

Theorem monotone_limit_down (f df : R -> R) (M : R) :
  (forall t, 0 <= t -> is_derive f t (df t)) -> (forall t, 0 <= t -> df t <= 0) ->
  (forall t, 0 <= t -> M <= f t) ->
  (exists L : R, is_lim f p_infty L) /\ (forall l : R, is_lim df p_infty l -> l = 0).
Proof.
intros D S B. destruct (monotone_limit_up (fun t => - f t) (fun t => - df t) (- M)) as [[L H] Z].
- intros t T. apply (is_derive_opp f). exact (D t T).
- intros t T. specialize (S t T). lra.
- intros t T. specialize (B t T). lra.
- split.
  + exists (- L). apply is_lim_ext with (f := fun t => - - f t); [intro; ring |].
    exact (is_lim_opp (fun t => - f t) p_infty L H).
  + intros l X. assert (- l = 0); [apply Z; exact (is_lim_opp df p_infty l X) | lra].
Qed.

(* Lemma "bounded product". *)
Theorem bounded_product (x P : nat -> R) (M : R) :
  0 < x O -> (forall j, 0 <= P j) -> (forall j, x (S j) = x j * (1 + P j)) ->
  (forall j, x j <= M) ->
  is_lim_seq P 0 /\ ex_finite_lim_seq x /\
  (forall y : nat -> R, (forall j, y (S j) = y j * (1 - P j)) -> ex_finite_lim_seq y).
Proof.
intros X0 P0 E B.
assert (Low : forall j, x O <= x j).
{ induction j as [| j I]; [lra |]. rewrite E. specialize (P0 j).
  assert (0 <= x j * P j) by (apply Rmult_le_pos; lra). lra. }
assert (Q : forall z C, (forall j, Rabs (z (S j) - z j) <= C * (x O * P j)) ->
  is_lim_seq (fun j => x O * P j) 0 /\ ex_finite_lim_seq z).
{ intros z C H. apply (telescoping (fun j => - x j) (fun j => x O * P j) z (- M) C).
  - intro j. apply Rmult_le_pos; [lra | apply P0].
  - intro j. rewrite E. specialize (P0 j). specialize (Low j).
    assert (x O * P j <= x j * P j) by (apply Rmult_le_compat_r; lra). lra.
  - intro j. specialize (B j). lra.
  - exact H. }
assert (MP : 0 < M) by (specialize (B O); lra).
split; [| split].
- destruct (Q (fun _ => 0) 0) as [L _].
  { intro j. rewrite Rminus_eq_0, Rabs_R0. lra. }
  apply is_lim_seq_ext with (u := fun j => / x O * (x O * P j)); [intro; field; lra |].
  replace (Finite 0) with (Rbar_mult (/ x O) 0) by (simpl; f_equal; ring).
  apply is_lim_seq_scal_l. exact L.
- apply (Q x (M / x O)). intro j. rewrite E. specialize (P0 j). specialize (Low j). specialize (B j).
  replace (x j * (1 + P j) - x j) with (x j * P j) by ring.
  rewrite Rabs_pos_eq by (apply Rmult_le_pos; lra).
  replace (M / x O * (x O * P j)) with (M * P j) by (field; lra). apply Rmult_le_compat_r; lra.
- intros y Y.
  assert (G : forall j, Rabs (y j) <= Rabs (y O) * (x j / x O)).
  { induction j as [| j I]; [replace (x O / x O) with 1 by (field; lra); lra |].
    rewrite Y, E, Rabs_mult. specialize (P0 j).
    replace (Rabs (y O) * (x j * (1 + P j) / x O)) with (Rabs (y O) * (x j / x O) * (1 + P j))
      by (field; lra).
    apply Rmult_le_compat; [apply Rabs_pos | apply Rabs_pos | exact I |].
    apply Rabs_le. lra. }
  apply (Q y (Rabs (y O) * (M / x O) / x O)). intro j. rewrite Y.
  specialize (P0 j). specialize (G j). specialize (B j).
  replace (y j * (1 - P j) - y j) with (- (y j * P j)) by ring.
  rewrite Rabs_Ropp, Rabs_mult, (Rabs_pos_eq (P j)) by exact P0.
  replace (Rabs (y O) * (M / x O) / x O * (x O * P j)) with (Rabs (y O) * (M / x O) * P j)
    by (field; lra).
  apply Rmult_le_compat_r; [exact P0 |]. apply Rle_trans with (1 := G).
  apply Rmult_le_compat_l; [apply Rabs_pos |]. apply Rmult_le_compat_r; [| exact B].
  apply Rlt_le, Rinv_0_lt_compat. exact X0.
Qed.

(* Finite sums. *)
Lemma sum_le (a b : nat -> R) (m : nat) : (forall i, (i <= m)%nat -> a i <= b i) ->
  sum_n a m <= sum_n b m.
Proof.
intro H. induction m as [| m I]; [rewrite !sum_O; apply H; lia |].
rewrite !sum_Sn. unfold plus; simpl. apply Rplus_le_compat; [apply I; intros i L; apply H; lia |].
apply H; lia.
Qed.

Lemma sum_zero_terms (m : nat) : sum_n (fun _ : nat => 0) m = 0.
Proof.
induction m as [| m I]; [apply sum_O |]. rewrite sum_Sn, I. unfold plus; simpl. ring.
Qed.

Lemma sum_scaled (k : R) (a : nat -> R) (m : nat) : sum_n (fun i => k * a i) m = k * sum_n a m.
Proof. exact (sum_n_mult_l (K := R_Ring) k a m). Qed.

Lemma sum_nonneg_terms (a : nat -> R) (m : nat) : (forall i, (i <= m)%nat -> 0 <= a i) -> 0 <= sum_n a m.
Proof. intro H. rewrite <- (sum_zero_terms m). apply sum_le. exact H. Qed.

Lemma term_le_sum (a : nat -> R) (m i : nat) : (forall i, (i <= m)%nat -> 0 <= a i) -> (i <= m)%nat ->
  a i <= sum_n a m.
Proof.
intros H L. induction m as [| m I].
- replace i with O by lia. rewrite sum_O. lra.
- rewrite sum_Sn. unfold plus; simpl.
  assert (0 <= sum_n a m) by (apply sum_nonneg_terms; intros j J; apply H; lia).
  assert (0 <= a (S m)) by (apply H; lia).
  destruct (Nat.eq_dec i (S m)) as [-> | N]; [lra |].
  assert (a i <= sum_n a m) by (apply I; [intros j J; apply H; lia | lia]). lra.
Qed.

Lemma square_of_sum (d : nat -> R) (m : nat) :
  sum_n (fun i => Rabs (d i)) m ^ 2 <= INR (S m) * sum_n (fun i => d i ^ 2) m.
Proof.
induction m as [| m I].
- rewrite !sum_O, pow2_abs. simpl. lra.
- rewrite !sum_Sn.
  set (A := sum_n (fun i => Rabs (d i)) m) in *. set (B := sum_n (fun i => d i ^ 2) m) in *.
  rewrite (S_INR (S m)). set (k := INR (S m)) in *.
  assert (K : 0 < k) by (unfold k; apply lt_0_INR; lia).
  assert (X := Rabs_pos (d (S m))).
  replace (d (S m) ^ 2) with (Rabs (d (S m)) ^ 2) by (apply pow2_abs).
  set (y := Rabs (d (S m))) in *.
  change ((A + y) ^ 2 <= (k + 1) * (B + y ^ 2)).
  assert (k * (2 * A * y) <= k * (B + k * y ^ 2)).
  { assert (0 <= (A - k * y) ^ 2) by apply pow2_ge_0. nra. }
  assert (2 * A * y <= B + k * y ^ 2) by (apply Rmult_le_reg_l with k; assumption).
  replace ((k + 1) * (B + y ^ 2)) with (k * B + (B + k * y ^ 2) + y ^ 2) by ring.
  replace ((A + y) ^ 2) with (A ^ 2 + 2 * A * y + y ^ 2) by ring. lra.
Qed.

Lemma derive_of_sum (x dx : nat -> R -> R) (m : nat) (t : R) :
  (forall i, (i <= m)%nat -> is_derive (x i) t (dx i t)) ->
  is_derive (fun t => sum_n (fun i => x i t) m) t (sum_n (fun i => dx i t) m).
Proof. intro H. apply (is_derive_sum_n x m t (fun i => dx i t)). exact H. Qed.

Lemma derive_of_square (y : R -> R) (t l : R) : is_derive y t l ->
  is_derive (fun t => y t ^ 2) t (2 * y t * l).
Proof.
intro D. evar_last.
- apply (is_derive_pow y 2 t l D).
- simpl. ring.
Qed.

(* Lemma "uniqueness": K is a Lipschitz constant of f(t, .) on a set that holds both curves. *)
Theorem uniqueness (m : nat) (f : R -> (nat -> R) -> nat -> R) (u v : nat -> R -> R) (T K : R) :
  0 <= T -> 0 <= K ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat -> is_derive (u i) t (f t (fun j => u j t) i)) ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat -> is_derive (v i) t (f t (fun j => v j t) i)) ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat ->
    Rabs (f t (fun j => u j t) i - f t (fun j => v j t) i)
    <= K * sum_n (fun j => Rabs (u j t - v j t)) m) ->
  (forall i, (i <= m)%nat -> u i 0 = v i 0) ->
  forall t i, 0 <= t <= T -> (i <= m)%nat -> u i t = v i t.
Proof.
intros T0 K0 U V L Start t i Z Im.
set (d := fun j s => u j s - v j s).
set (g := fun j s => f s (fun j => u j s) j - f s (fun j => v j s) j).
set (w := fun s => sum_n (fun j => d j s ^ 2) m).
assert (DD : forall s j, 0 <= s <= T -> (j <= m)%nat -> is_derive (d j) s (g j s)).
{ intros s j Sb J. apply (is_derive_minus (u j) (v j)); [apply U | apply V]; assumption. }
assert (Bound : w t <= w 0 * exp (2 * K * INR (S m) * t)).
{ apply (gronwall_above w (fun s => sum_n (fun j => 2 * d j s * g j s) m)); [lra | |].
  - intros s Sb. apply (derive_of_sum (fun j s => d j s ^ 2) (fun j s => 2 * d j s * g j s)).
    intros j J. apply derive_of_square. apply DD; [lra | exact J].
  - intros s Sb. set (A := sum_n (fun j => Rabs (d j s)) m).
    assert (A0 : 0 <= A) by (apply sum_nonneg_terms; intros; apply Rabs_pos).
    apply Rle_trans with (sum_n (fun j => 2 * K * A * Rabs (d j s)) m).
    + apply sum_le. intros j J. specialize (L s j ltac:(lra) J).
      change (Rabs (g j s) <= K * A) in L.
      apply Rle_trans with (1 := Rle_abs _). rewrite !Rabs_mult, (Rabs_pos_eq 2) by lra.
      replace (2 * K * A * Rabs (d j s)) with (2 * Rabs (d j s) * (K * A)) by ring.
      apply Rmult_le_compat_l; [| exact L]. assert (Q := Rabs_pos (d j s)). lra.
    + rewrite sum_scaled. fold A. assert (C := square_of_sum (fun j => d j s) m). cbv beta in C.
      fold A in C. change (sum_n (fun i0 => d i0 s ^ 2) m) with (w s) in C.
      replace (2 * K * A * A) with (2 * K * A ^ 2) by ring.
      replace (2 * K * INR (S m) * w s) with (2 * K * (INR (S m) * w s)) by ring.
      apply Rmult_le_compat_l; [lra | exact C]. }
assert (W0 : w 0 = 0).
{ unfold w. apply eq_trans with (2 := sum_zero_terms m). apply sum_n_ext_loc. intros j J.
  unfold d. cbv beta. rewrite (Start j J). change ((v j 0 - v j 0) ^ 2 = 0). ring. }
rewrite W0, Rmult_0_l in Bound.
assert (One : d i t ^ 2 <= w t).
{ apply (term_le_sum (fun j => d j t ^ 2)); [intros; apply pow2_ge_0 | exact Im]. }
assert (P := pow2_ge_0 (d i t)). assert (E : d i t ^ 2 = 0) by lra.
assert (Y : d i t = 0) by nra. unfold d in Y. lra.
Qed.

(* So two solutions that meet have been one: an equilibrium v is not reached in finite time. *)
Theorem uniqueness_back (m : nat) (f : R -> (nat -> R) -> nat -> R) (u v : nat -> R -> R)
  (T K : R) : 0 <= T -> 0 <= K ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat -> is_derive (u i) t (f t (fun j => u j t) i)) ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat -> is_derive (v i) t (f t (fun j => v j t) i)) ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat ->
    Rabs (f t (fun j => u j t) i - f t (fun j => v j t) i)
    <= K * sum_n (fun j => Rabs (u j t - v j t)) m) ->
  (forall i, (i <= m)%nat -> u i T = v i T) ->
  forall i, (i <= m)%nat -> u i 0 = v i 0.
Proof.
intros T0 K0 U V L End i Im.
assert (R : forall x : R -> R, forall t l, is_derive x (T - t) l ->
  is_derive (fun s => x (T - s)) t (- l)).
{ intros x t l D. evar_last.
  - apply (is_derive_comp x (fun s => T - s) t l (-1)); [exact D |].
    auto_derive; [trivial | ring].
  - unfold scal; simpl; unfold mult; simpl. ring. }
assert (Q : (fun j s => u j (T - s)) i T = (fun j s => v j (T - s)) i T).
{ apply (uniqueness m (fun t x j => - f (T - t) x j) (fun j s => u j (T - s))
    (fun j s => v j (T - s)) T K); try assumption; try lra.
  - intros t j B J. apply R. apply U; [lra | exact J].
  - intros t j B J. apply R. apply V; [lra | exact J].
  - intros t j B J. specialize (L (T - t) j ltac:(lra) J).
    match goal with |- Rabs ?x <= _ => replace x with (- (f (T - t) (fun k => u k (T - t)) j
      - f (T - t) (fun k => v k (T - t)) j)) by ring end.
    rewrite Rabs_Ropp. exact L.
  - intros j J. rewrite Rminus_0_r. exact (End j J). }
cbv beta in Q. rewrite Rminus_eq_0 in Q. exact Q.
Qed.

(* Lemma "Metzler": C bounds the entries of A on [0, T]. *)
Lemma quadratic_derive (h : R -> R) (y l : R) :
  (forall z, Rabs (h z - h y - l * (z - y)) <= (z - y) ^ 2) -> is_derive h y l.
Proof.
intro H. apply is_derive_Reals. intros eps E. exists (mkposreal eps E). intros k K0 K. simpl in K.
specialize (H (y + k)). replace (y + k - y) with k in H by ring.
replace ((h (y + k) - h y) / k - l) with ((h (y + k) - h y - l * k) / k) by (field; exact K0).
unfold Rdiv. rewrite Rabs_mult, Rabs_inv.
assert (P : 0 < Rabs k) by (apply Rabs_pos_lt; exact K0).
apply Rmult_lt_reg_r with (Rabs k); [exact P |].
rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
apply Rle_lt_trans with (1 := H). replace (k ^ 2) with (Rabs k * Rabs k).
- apply Rmult_lt_compat_r; assumption.
- rewrite <- (pow2_abs k). ring.
Qed.

Lemma derive_below (y : R) : is_derive (fun y => Rmin y 0 ^ 2) y (2 * Rmin y 0).
Proof.
apply quadratic_derive. intro z. unfold Rmin.
assert (S := pow2_ge_0 (z - y)). assert (Z := pow2_ge_0 z). assert (Y := pow2_ge_0 y).
destruct (Rle_dec y 0) as [A | A]; destruct (Rle_dec z 0) as [B | B]; apply Rabs_le.
- replace (z ^ 2 - y ^ 2 - 2 * y * (z - y)) with ((z - y) ^ 2) by ring. lra.
- assert (0 <= (- y) * (2 * z - y)) by (apply Rmult_le_pos; lra).
  replace (0 ^ 2 - y ^ 2 - 2 * y * (z - y)) with ((- y) * (2 * z - y)) by ring.
  replace ((z - y) ^ 2) with ((- y) * (2 * z - y) + z ^ 2) in * by ring. lra.
- assert (0 <= y * (- z)) by (apply Rmult_le_pos; lra).
  replace (z ^ 2 - 0 ^ 2 - 2 * 0 * (z - y)) with (z ^ 2) by ring.
  replace ((z - y) ^ 2) with (z ^ 2 + 2 * (y * (- z)) + y ^ 2) in * by ring. lra.
- replace (0 ^ 2 - 0 ^ 2 - 2 * 0 * (z - y)) with 0 by ring. lra.
Qed.

Theorem metzler (m : nat) (a : R -> nat -> nat -> R) (x : nat -> R -> R) (T C : R) :
  0 <= T -> 0 <= C ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat ->
    is_derive (x i) t (sum_n (fun j => a t i j * x j t) m)) ->
  (forall t i j, 0 <= t <= T -> i <> j -> 0 <= a t i j) ->
  (forall t i j, 0 <= t <= T -> Rabs (a t i j) <= C) ->
  (forall i, (i <= m)%nat -> 0 <= x i 0) ->
  forall t i, 0 <= t <= T -> (i <= m)%nat -> 0 <= x i t.
Proof.
intros T0 C0 D Off Bd Start t i Z Im.
set (d := fun j s => Rmin (x j s) 0).
set (w := fun s => sum_n (fun j => d j s ^ 2) m).
assert (Neg : forall j s, d j s <= 0) by (intros; apply Rmin_r).
assert (Bound : w t <= w 0 * exp (2 * C * INR (S m) * t)).
{ apply (gronwall_above w
    (fun s => sum_n (fun j => 2 * d j s * sum_n (fun k => a s j k * x k s) m) m)); [lra | |].
  - intros s Sb. apply (derive_of_sum (fun j s => d j s ^ 2)
      (fun j s => 2 * d j s * sum_n (fun k => a s j k * x k s) m)).
    intros j J. evar_last.
    + apply (is_derive_comp (fun y => Rmin y 0 ^ 2) (x j)); [apply derive_below |].
      apply D; [lra | exact J].
    + unfold scal; simpl; unfold mult; simpl. unfold d. ring.
  - intros s Sb. set (A := sum_n (fun j => Rabs (d j s)) m).
    apply Rle_trans with (sum_n (fun j => 2 * C * A * Rabs (d j s)) m).
    + apply sum_le. intros j J.
      replace (2 * C * A * Rabs (d j s)) with (2 * (C * Rabs (d j s) * A)) by ring.
      rewrite Rmult_assoc. apply Rmult_le_compat_l; [lra |].
      unfold A. rewrite <- !sum_scaled. apply sum_le. intros k Kb.
      specialize (Bd s j k ltac:(lra)). assert (N := Neg j s).
      assert (Mk : d j s * (a s j k * x k s) <= d j s * (a s j k * d k s)).
      { destruct (Nat.eq_dec j k) as [<- | Nq].
        - unfold d, Rmin. destruct (Rle_dec (x j s) 0); [lra |]. lra.
        - specialize (Off s j k ltac:(lra) Nq).
          assert (d k s <= x k s) by apply Rmin_l.
          assert (a s j k * d k s <= a s j k * x k s) by (apply Rmult_le_compat_l; assumption).
          nra. }
      apply Rle_trans with (1 := Mk). apply Rle_trans with (1 := Rle_abs _).
      rewrite !Rabs_mult.
      assert (P1 := Rabs_pos (d j s)). assert (P2 := Rabs_pos (d k s)).
      replace (Rabs (d j s) * (Rabs (a s j k) * Rabs (d k s)))
        with (Rabs (a s j k) * (Rabs (d j s) * Rabs (d k s))) by ring.
      replace (C * Rabs (d j s) * Rabs (d k s)) with (C * (Rabs (d j s) * Rabs (d k s))) by ring.
      apply Rmult_le_compat_r; [apply Rmult_le_pos; assumption | exact Bd].
    + rewrite sum_scaled. fold A. assert (Q := square_of_sum (fun j => d j s) m). cbv beta in Q.
      fold A in Q. change (sum_n (fun i0 => d i0 s ^ 2) m) with (w s) in Q.
      replace (2 * C * A * A) with (2 * C * A ^ 2) by ring.
      replace (2 * C * INR (S m) * w s) with (2 * C * (INR (S m) * w s)) by ring.
      apply Rmult_le_compat_l; [lra | exact Q]. }
assert (W0 : w 0 = 0).
{ unfold w. apply eq_trans with (2 := sum_zero_terms m). apply sum_n_ext_loc. intros j J.
  unfold d. cbv beta. rewrite Rmin_right by (apply Start; exact J). change (0 ^ 2 = 0). ring. }
rewrite W0, Rmult_0_l in Bound.
assert (One : d i t ^ 2 <= w t).
{ apply (term_le_sum (fun j => d j t ^ 2)); [intros; apply pow2_ge_0 | exact Im]. }
assert (P := pow2_ge_0 (d i t)). assert (Y : d i t = 0) by nra.
unfold d in Y. assert (Rmin (x i t) 0 <= x i t) by apply Rmin_l. lra.
Qed.

Theorem metzler_positive (m : nat) (a : R -> nat -> nat -> R) (x : nat -> R -> R) (T C : R) (i : nat) :
  0 <= T -> 0 <= C -> (i <= m)%nat ->
  (forall t i, 0 <= t <= T -> (i <= m)%nat ->
    is_derive (x i) t (sum_n (fun j => a t i j * x j t) m)) ->
  (forall t i j, 0 <= t <= T -> i <> j -> 0 <= a t i j) ->
  (forall t i j, 0 <= t <= T -> Rabs (a t i j) <= C) ->
  (forall i, (i <= m)%nat -> 0 <= x i 0) ->
  (0 < x i 0 -> 0 < x i T) /\
  (forall j, (j <= m)%nat -> x i 0 = 0 -> 0 < a 0 i j * x j 0 ->
    exists d, 0 < d /\ forall t, 0 < t < d -> 0 < x i t).
Proof.
intros T0 C0 Im D Off Bd Start.
assert (Nn := metzler m a x T C T0 C0 D Off Bd Start).
assert (Low : forall t j, 0 <= t <= T -> (j <= m)%nat -> (j <> i \/ x i t = 0) ->
  0 <= a t i j * x j t).
{ intros t j B J [N | E].
  - apply Rmult_le_pos; [apply Off; [exact B | auto] | apply Nn; assumption].
  - destruct (Nat.eq_dec j i) as [-> | N]; [rewrite E; lra |].
    apply Rmult_le_pos; [apply Off; [exact B | auto] | apply Nn; assumption]. }
split.
- intro P. apply (integrating_factor (x i)
    (fun t => sum_n (fun j => a t i j * x j t) m) (fun _ => C)); try assumption.
  + intro t. apply continuous_const.
  + intros t B. apply D; assumption.
  + intros t B. assert (X := Nn t i B Im).
    apply Rle_trans with (sum_n (fun j => if Nat.eq_dec j i then - C * x i t else 0) m).
    * assert (G : forall n, (i <= n)%nat ->
        sum_n (fun j => if Nat.eq_dec j i then - C * x i t else 0) n = - C * x i t).
      { assert (Z : forall n, (n < i)%nat ->
          sum_n (fun j => if Nat.eq_dec j i then - C * x i t else 0) n = 0).
        { induction n as [| n I]; intro Q.
          - rewrite sum_O. destruct (Nat.eq_dec 0 i); [lia | reflexivity].
          - rewrite sum_Sn, I by lia. destruct (Nat.eq_dec (S n) i); [lia |].
            unfold plus; simpl. ring. }
        induction n as [| n I]; intro Q.
        - rewrite sum_O. destruct (Nat.eq_dec 0 i); [reflexivity | lia].
        - rewrite sum_Sn. destruct (Nat.eq_dec (S n) i) as [E | N].
          + rewrite Z by lia. unfold plus; simpl. ring.
          + rewrite I by lia. unfold plus; simpl. ring. }
      rewrite G by exact Im. lra.
    * apply sum_le. intros j J. destruct (Nat.eq_dec j i) as [-> | N].
      -- specialize (Bd t i i B). apply Rabs_le_between in Bd.
         apply Rmult_le_compat_r; lra.
      -- apply Low; auto.
- intros j J E P.
  assert (S0 : 0 < sum_n (fun j => a 0 i j * x j 0) m).
  { apply Rlt_le_trans with (1 := P).
    apply (term_le_sum (fun j => a 0 i j * x j 0)); [| exact J].
    intros k Kb. apply Low; [lra | exact Kb | right; exact E]. }
  destruct (through_zero (x i) 0 _ (D 0 i ltac:(lra) Im) E S0) as [d [D0 [H _]]].
  exists d. split; [exact D0 |]. intros t B. apply H. lra.
Qed.

(* Lemma "change of time": g is the inverse of tau, so that x o g is the curve written in tau. *)
Theorem change_of_time (x dx tau dtau g : R -> R) (a b : R) : a < b ->
  (forall t, a <= t <= b -> is_derive x t (dx t)) ->
  (forall t, a <= t <= b -> is_derive tau t (dtau t)) ->
  (forall t, a <= t <= b -> 0 < dtau t) ->
  (forall t, a <= t <= b -> g (tau t) = t) ->
  forall t, a < t < b -> is_derive (fun s => x (g s)) (tau t) (dx t / dtau t).
Proof.
intros ab X Tau P Inv t B.
assert (Up := monotone_up tau dtau a b Tau P).
assert (Cont : forall z, a <= z <= b -> continuity_pt tau z).
{ intros z Z. apply (continuous_of_derive tau z (dtau z)). apply Tau. exact Z. }
assert (Onto : forall s, tau a <= s <= tau b -> a <= g s <= b /\ tau (g s) = s).
{ intros s Sb. assert (E : exists z, a <= z <= b /\ tau z = s).
  { destruct (Req_dec s (tau a)) as [-> | Na]; [exists a; split; [lra | reflexivity] |].
    destruct (Req_dec s (tau b)) as [-> | Nb]; [exists b; split; [lra | reflexivity] |].
    destruct (IVT_interv (fun z => tau z - s) a b) as [z [Z E]].
    - intros z Z. apply continuity_pt_minus; [apply Cont; exact Z |].
      apply continuity_pt_const. intros p q. reflexivity.
    - exact ab.
    - lra.
    - lra.
    - exists z. split; [exact Z | lra]. }
  destruct E as [z [Z <-]]. rewrite Inv by exact Z. split; [exact Z | reflexivity]. }
assert (G : is_derive g (tau t) (/ dtau t)).
{ assert (Low : tau a < tau t) by (apply Up; lra). assert (High : tau t < tau b) by (apply Up; lra).
  assert (Prf : forall z, g (tau a) <= z <= g (tau b) -> derivable_pt tau z).
  { intros z Z. rewrite !Inv in Z by lra. exists (dtau z). apply is_derive_Reals. apply Tau. exact Z. }
  assert (Cg : continuity_pt g (tau t)).
  { apply (continuity_pt_recip_interv tau g a b ab); [exact Up | | | exact Cont |].
    - intros y A1 A2. exact (proj2 (Onto y (conj A1 A2))).
    - intros y A1 A2. exact (proj1 (Onto y (conj A1 A2))).
    - exact (conj Low High). }
  assert (In : g (tau a) <= g (tau t) <= g (tau b)) by (rewrite !Inv by lra; lra).
  assert (Slope : derive_pt tau (g (tau t)) (Prf (g (tau t)) In) = dtau t).
  { apply derive_pt_eq_0. rewrite Inv by lra. apply is_derive_Reals. apply Tau. lra. }
  apply is_derive_Reals.
  replace (/ dtau t) with (1 / derive_pt tau (g (tau t)) (Prf (g (tau t)) In)).
  - apply (derivable_pt_lim_recip_interv tau g (tau a) (tau b) (tau t) Prf Cg); [lra | lra | |].
    + intros s Sb. exact (proj2 (Onto s Sb)).
    + rewrite Slope. specialize (P t ltac:(lra)). lra.
  - rewrite Slope. field. specialize (P t ltac:(lra)). lra. }
evar_last.
- apply (is_derive_comp x g (tau t) (dx t) (/ dtau t)); [rewrite Inv by lra; apply X; lra | exact G].
- unfold scal; simpl; unfold mult; simpl. field. specialize (P t ltac:(lra)). lra.
Qed.

Definition systems := (monotone_limit_up, monotone_limit_down, bounded_product, uniqueness,
  uniqueness_back, metzler, metzler_positive, change_of_time).
