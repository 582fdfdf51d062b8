// Everything that one state of the page shows, computed in one place.

const GRID = 600; // times of the flow: end x (i / GRID)^3, dense at the start where the dip is
const ENVELOPE = { step: 1, pieces: 60 };

/** Curves and numbers of `state`, or throws in words. */
function compute(state) {
  const problem = {
    alpha: state.alpha, beta_norm: state.beta_norm, outlier_fraction: state.outlier_fraction,
  };
  const start = startOf(state);
  const end = state.step_size * state.steps;
  const times = Array.from({ length: GRID + 1 }, (_, i) => end * (i / GRID) ** 3);
  const path = twin.flowPath(problem, start, end, state.step_size);
  const flow = twin.flow(problem, start, times, state.step_size, path);
  const run = twin.optimise(problem, start, state, state.step_size, state.steps);
  const u = run.opposing_curvature.map((value) => state.step_size * value);
  const standing = twin.standingFailure(problem, start);
  const now = { state, problem, start, times, path, flow, run, u, standing };
  return { ...now, ...groupsOf(now), ...theoryOf(now) };
}

function groupsOf({ problem, flow, run }) {
  const of = (columns) => {
    const pairs = columns.c.map((c, i) =>
      twin.groupLosses(problem, c, columns.epsilon[i], columns.n[i], columns.o[i]),
    );
    return { plus: pairs.map((pair) => pair[0]), minus: pairs.map((pair) => pair[1]) };
  };
  return { groups: of(run), flowGroups: of(flow) };
}

/** Envelope and central flow, or why there is none. */
function theoryOf({ state, problem, start, times, path, standing }) {
  const centralWhy = twin.centralFailure(problem, start, state.step_size);
  const central = centralWhy ? null : twin.centralFlow(problem, start, times, state.step_size, path);
  let envelopeWhy = standing ? `the envelope is stated for ${standing}` : "";
  let envelope = null;
  if (!standing) {
    envelope = twin.envelope(problem, start, times, ENVELOPE.step, ENVELOPE.pieces);
    if (!envelope) envelopeWhy = "c² is below the rounding of ε² and o² here";
  }
  return { central, centralWhy, envelope, envelopeWhy };
}

/** How the run ends, as linmodel.phases.observe_phase names it. */
function phaseName({ u, run }) {
  return twin.phaseOf(u, run.log_abs_o, u.length, run.status === "diverged");
}
