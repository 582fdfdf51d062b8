// What the curves show, in sentences; each carries the statements that say so, with verdicts.

/** [{text, claims}] for what is computed now. */
function readingsOf(now) {
  const list = [standingReading(now), dipReading(now), limitReading(now), crossingReading(now)];
  if (now.state.optimiser === "gd") list.push(edgeReading(now));
  list.push(endReading(now), stabilityReading(now), ...theoryReadings(now));
  return list.filter(Boolean);
}

function standingReading({ standing, start, problem }) {
  if (!standing) return null;
  const side = start.epsilon < 0 && problem.alpha >= 1 ? " Starts with ε₀ < 0 end on either side." : "";
  const text = `This start does not meet the theorems' hypothesis ${standing}: below, numbers are computed, not promised.${side}`;
  return { text, claims: start.epsilon < 0 ? ["F12"] : [], warn: true };
}

function dipReading({ flow, problem, standing }) {
  const claims = standing ? [] : ["F4"];
  if (Number.isNaN(flow.t_dip)) return { text: "Flow: αc² has no dip up to the last time shown.", claims };
  if (flow.t_dip === 0) return { text: "Flow: αc² rises from the start, without a dip.", claims };
  let low = Infinity;
  for (const value of flow.opposing_curvature) low = Math.min(low, value);
  const depth = `to ${shown(low)} from ${shown(problem.alpha * flow.c[0] ** 2)}`;
  return { text: `Flow: αc² dips until t = ${shown(flow.t_dip)}, ${depth}, and rises after.`, claims };
}

function limitReading({ problem, start, standing }) {
  if (standing) return null;
  const end = twin.flowLimit(problem, start);
  const text = `Flow: it ends at αc∞² = ${shown(end.opposing_curvature)}, sharpness ${shown(end.sharpness)}.`;
  return { text, claims: ["F5"] };
}

function crossingReading({ flow, problem, start, state, standing }) {
  const level = shown(2 / state.step_size);
  if (flow.t_edge > 0) {
    const text = `Flow: αc² rises through 2/η = ${level} at t = ${shown(flow.t_edge)}${standing ? "" : ", once"}.`;
    return { text, claims: standing ? [] : ["F10"] };
  }
  if (standing) return { text: `Flow: αc² does not rise through 2/η = ${level} in the time shown.`, claims: [] };
  const top = twin.flowLimit(problem, start).opposing_curvature;
  const below = top <= 2 / state.step_size;
  // The dip is past and αc² has stayed above the edge.
  const above = flow.t_dip >= 0 && flow.opposing_curvature.every((value) => value >= 2 / state.step_size);
  const never = below || above;
  let why = `has not risen through 2/η = ${level} in the time shown`;
  if (above) why = `lies above 2/η = ${level} from the start and its dip does not reach it`;
  if (below) why = `never crosses 2/η = ${level}: αc∞² is ${shown(top)}`;
  return { text: `Flow: αc² ${why}.`, claims: never ? ["F10"] : [] };
}

function edgeReading({ u, run }) {
  const crossed = run.t_edge;
  if (!(crossed >= 0)) {
    return { text: "Descent: αc² does not rise through 2/η in these steps; |o| shrinks wherever αc² < 2/η.", claims: ["G1"] };
  }
  const first = run.time.findIndex((t) => t >= crossed);
  const growing = u.filter((value) => value > 2).length;
  const text = `Descent: αc² passes 2/η at step ${first}; |o| grows on the ${growing} steps above 2/η and flips its sign wherever αc² > 1/η.`;
  return { text, claims: ["G1", "S3", "S4"] };
}

const ENDINGS = {
  like_flow: ["it settles at αc² = $, as the flow does", ["G2"]],
  catapult: ["it was thrown down and settles at αc² = $, a flatter minimum than the largest αc² it saw", ["G4", "G7"]],
  oscillating: ["it goes on oscillating, last at αc² = $", ["G2", "G3"]],
  diverged: ["it diverges", ["G4b", "G7"]],
  unfinished: ["it has not come to rest, last at αc² = $: take more steps", []],
};

function endReading(now) {
  const { run } = now;
  const name = phaseName(now);
  const [text, claims] = ENDINGS[name];
  const last = shown(run.opposing_curvature.at(-1));
  const where = name === "diverged" ? ` at step ${run.diverged_at_step}` : "";
  const who = now.state.optimiser === "gd" ? "Descent" : twin.OPTIMISERS[now.state.optimiser].label;
  const rule = now.state.optimiser === "gd" ? claims : [];
  return { text: `${who}: ${text.replace("$", last)}${where} (seen in ${run.time.length - 1} steps).`, claims: rule };
}

function stabilityReading({ problem, state }) {
  if (!(problem.beta_norm > 0) || state.optimiser !== "gd") return null;
  const largest = twin.largestStableStep(problem);
  const side = state.step_size > largest ? "above" : "below";
  const says = side === "above" ? "no minimum is stable" : "stable minima exist";
  return { text: `η is ${side} η* = ${shown(largest)}: ${says}.`, claims: ["G3"] };
}

function theoryReadings({ flow, central, centralWhy, envelopeWhy, state }) {
  const list = [];
  if (state.optimiser === "gd" && central && flow.t_edge > 0) {
    list.push({ text: "The central flow holds αc² at 2/η after the crossing.", claims: ["G6"] });
  } else if (centralWhy) {
    list.push({ text: `No central flow: ${centralWhy}.`, claims: [] });
  }
  list.push(
    envelopeWhy
      ? { text: `No envelope: ${envelopeWhy}.`, claims: [] }
      : { text: "The shaded band surely contains the flow's αc².", claims: ["F11", "F11c"] },
  );
  return list;
}

/** Write the readings into `list`; `claims` are the statements with their verdicts, by id. */
function showReadings(list, readings, claims) {
  const items = readings.map(({ text, claims: ids, warn }) => {
    const item = document.createElement("li");
    if (warn) item.className = "warn";
    item.append(text);
    for (const id of ids) if (claims[id]) item.append(" ", claimLink(claims[id]));
    return item;
  });
  list.replaceChildren(...items);
}

function claimLink(claim) {
  const link = document.createElement("a");
  link.href = `#claim-${claim.id}`;
  link.className = `claim ${claim.verdict}`;
  link.title = claim.title;
  link.textContent = `${claim.id} ${claim.verdict}`;
  return link;
}

/** The statements themselves, folded, each with verdict, evidence and function. */
function showClaims(host, claims) {
  for (const claim of Object.values(claims)) {
    const entry = document.createElement("details");
    entry.id = `claim-${claim.id}`;
    const head = document.createElement("summary");
    const verdict = document.createElement("span");
    verdict.className = `claim ${claim.verdict}`;
    verdict.textContent = `${claim.id} ${claim.verdict}`;
    head.append(verdict, ` ${claim.title}`);
    entry.append(head);
    for (const [name, text] of [["", claim.statement], ["Evidence: ", claim.evidence], ["In Python: ", claim.function]]) {
      if (!text) continue;
      const line = document.createElement("p");
      line.textContent = name + text;
      entry.append(line);
    }
    host.append(entry);
  }
}
