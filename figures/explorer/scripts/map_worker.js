// The phase map's computation, in a worker: coarse first, row by row, so that a newer job stops it.

const MAP_LEVELS = [8, 24, 72]; // cells along each side; centres of coarse cells are kept

/** Runs inside the worker. Jobs {id, problem, start, alpha, eta} with windows [low, high]. */
function workerMain(twin, post) {
  const room = [twin.LONGEST_RUN + 1, twin.LONGEST_RUN + 1].map((size) => new Float64Array(size));
  const centres = ([low, high], count) =>
    Array.from({ length: count }, (_, i) => low * (high / low) ** ((i + 0.5) / count));
  let current = null;
  const pause = () => new Promise((done) => setTimeout(done));
  return async (job, levels) => {
    current = job.id;
    for (const count of levels) {
      const alphas = centres(job.alpha, count);
      const rows = [];
      for (const eta of centres(job.eta, count)) {
        rows.push(twin.phaseRow(job.problem, job.start, alphas, eta, room));
        await pause();
        if (current !== job.id) return;
      }
      post({ id: job.id, count, rows });
    }
  };
}

/** {ask(job)}: the worker, or the same work in small portions where no worker can be made. */
function makeMapWorker(receive) {
  try {
    const source = `"use strict";const run=(${workerMain})((${arithmetic})(),(m)=>postMessage(m));
onmessage=({data})=>run(data,${JSON.stringify(MAP_LEVELS)});`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => receive(data);
    return { ask: (job) => worker.postMessage(job) };
  } catch {
    const run = workerMain(twin, receive);
    return { ask: (job) => run(job, MAP_LEVELS.slice(0, 2)) };
  }
}
