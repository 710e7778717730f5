/* Workers and parameter servers as events: asynchronous and stale synchronous.
 *
 * A worker computes, pushes its gradient, waits if it is too far ahead, pulls and computes again:
 *
 *   compute   T times a lognormal factor of mean 1 (sim/ draws it, a stream a worker)
 *   push      M bytes through the servers' ports, which all pushes at hand share evenly
 *   applied   staleness = updates by others since this worker's pull began: servers answer with
 *             what they have when a request arrives
 *   wait      until no worker is more than s steps behind (SSP, Ho 2013; s = 0: synchronous;
 *             without a bound: asynchronous, Dean 2012)
 *   pull      likewise, through the ports' other direction; through the same where servers share
 *             the workers' NICs
 *
 * n flows of one direction get min(w, S b / n) each. As all have M bytes, they end in the order in
 * which they began, so a direction is a queue and a count of bytes that each of its flows has had.
 *
 * A gradient is always on the way of every worker that does not wait, so the updates of a worker's
 * cycle are the staleness of that cycle: without a bound its mean is N - 1 whatever the times. With
 * alike workers everybody's is. Both directions share ports evenly and T may have any distribution,
 * so throughput is that of a closed network of queues (mean value analysis: Reiser 1980).
 *
 * Left out: aggregation of several gradients into one update, and loss of what is too stale. */
#include "strat_push.h"

#include "sim_math.h"
#include "sim_queue.h"
#include "sim_random.h"

#include <glib.h>
#include <math.h>

const int strat_staleness_percent[STRAT_STALENESS_QUANTILES] = {5, 25, 50, 75, 95};

typedef struct Run Run;

typedef struct Worker {
    Run *run;
    SimRandom stream;
    int64_t steps; /* that it has pushed */
    int64_t read;  /* version that it computes with */
    double finish; /* bytes of its direction's count at which its flow ends */
    SimTime since; /* its flow began, or its wait */
    bool waits, pulls;
} Worker;

/* Flows of one direction. */
typedef struct Way {
    Run *run;
    GQueue flows; /* of Worker, in order of their end */
    double had;   /* bytes that a flow would have had since the start */
    SimTime at;
    uint64_t event;
} Way;

struct Run {
    const StratPushRun *spec;
    SimEventQueue *queue;
    Worker *workers;
    Way push, pull;
    int64_t version, slowest, applied, moved_ns, waited_ns;
    int64_t slowest_count; /* workers with as few steps as the slowest */
    SimTime from, now;
    GArray *staleness; /* of int64_t */
    int64_t lead_most;
    bool done;
};

static double rate_of(const Way *way)
{
    const StratPush *served = &way->run->spec->served;
    double count = (double)g_queue_get_length((GQueue *)&way->flows);
    return MIN(served->worker_bytes_per_s, served->server_bytes_per_s / MAX(count, 1.0));
}

static void advance(Way *way, SimTime now)
{
    way->had += rate_of(way) * sim_time_to_seconds(now - way->at);
    way->at = now;
}

static void flow_ends(void *ctx, SimTime now);

/* The first flow's end, at the rate of the moment. */
static void expect_end(Way *way, SimTime now)
{
    const Worker *first = g_queue_peek_head(&way->flows);
    SimTime left = 0;
    if (way->event != 0)
        sim_event_queue_cancel(way->run->queue, way->event);
    way->event = 0;
    if (!first)
        return;
    bool is_time =
        sim_time_from_seconds(MAX(first->finish - way->had, 0.0) / rate_of(way), &left, NULL);
    g_assert(is_time); /* the loader bounds bytes and rates */
    way->event =
        sim_event_queue_push(way->run->queue, now + left, SIM_PHASE_CHANGE, flow_ends, way);
}

static void begin_flow(Way *way, Worker *worker, SimTime now)
{
    advance(way, now);
    worker->finish = way->had + way->run->spec->served.bytes;
    worker->since = now;
    g_queue_push_tail(&way->flows, worker);
    expect_end(way, now);
}

static void compute_ends(void *ctx, SimTime now)
{
    Worker *worker = ctx;
    begin_flow(&worker->run->push, worker, now);
}

static void begin_step(Worker *worker, SimTime now)
{
    Run *run = worker->run;
    double cv = run->spec->variation, factor = 1.0;
    if (cv > 0.0) {
        double variance = sim_math_log(1.0 + cv * cv);
        factor = sim_math_exp(sim_random_normal(&worker->stream, -0.5 * variance, sqrt(variance)));
    }
    run->lead_most = MAX(run->lead_most, worker->steps - run->slowest);
    SimTime length = 0;
    bool is_time = sim_time_from_seconds(run->spec->compute_s * factor, &length, NULL);
    g_assert(is_time);
    sim_event_queue_push(run->queue, now + length, SIM_PHASE_CHANGE, compute_ends, worker);
}

static void begin_pull(Worker *worker, SimTime now)
{
    Run *run = worker->run;
    worker->read = run->version;
    worker->pulls = true;
    begin_flow(run->spec->served.shares_ports ? &run->push : &run->pull, worker, now);
}

static bool may_go(const Run *run, const Worker *worker)
{
    return run->spec->staleness < 0 || worker->steps - run->slowest <= run->spec->staleness;
}

static void release(Worker *worker, SimTime now)
{
    Run *run = worker->run;
    worker->waits = false;
    run->waited_ns += now - MAX(worker->since, run->from);
    begin_pull(worker, now);
}

/* The slowest has made a step: who is it now? */
static bool find_slowest(Run *run)
{
    if (--run->slowest_count > 0)
        return false;
    run->slowest++;
    for (int64_t i = 0; i < run->spec->served.workers; i++)
        run->slowest_count += run->workers[i].steps == run->slowest;
    return true;
}

static void pushed(Worker *worker, SimTime now)
{
    Run *run = worker->run;
    const StratPushRun *spec = run->spec;
    int64_t staleness = spec->staleness == 0 ? 0 : run->version - worker->read;
    run->version++;
    if (run->slowest * 5 >= spec->updates) { /* the first fifth is not counted */
        if (run->applied++ == 0)
            run->from = now;
        else
            g_array_append_val(run->staleness, staleness);
    }
    bool moves = worker->steps++ == run->slowest && find_slowest(run);
    run->done = run->slowest >= spec->updates;
    worker->since = now;
    worker->waits = true;
    for (int64_t i = 0; moves && i < spec->served.workers; i++)
        if (run->workers[i].waits && may_go(run, &run->workers[i]))
            release(&run->workers[i], now);
    if (worker->waits && may_go(run, worker))
        release(worker, now);
}

static void flow_ends(void *ctx, SimTime now)
{
    Way *way = ctx;
    Run *run = way->run;
    way->event = 0;
    advance(way, now);
    double slack = rate_of(way) * 1e-9; /* times are whole nanoseconds */
    for (Worker *w = g_queue_peek_head(&way->flows); w && w->finish <= way->had + slack;
         w = g_queue_peek_head(&way->flows)) {
        g_queue_pop_head(&way->flows);
        bool pulled = w->pulls;
        run->moved_ns += run->applied > 0 ? now - MAX(w->since, run->from) : 0;
        w->pulls = false;
        if (pulled)
            begin_step(w, now);
        else
            pushed(w, now);
    }
    expect_end(way, now);
}

static gint compare_i64(gconstpointer left, gconstpointer right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static StratPushResult result_of(Run *run)
{
    const StratPushRun *spec = run->spec;
    double workers = (double)spec->served.workers, count = (double)run->staleness->len, sum = 0.0;
    double updates = count / workers;
    g_array_sort(run->staleness, compare_i64);
    const int64_t *sorted = (const int64_t *)run->staleness->data;
    for (guint i = 0; i < run->staleness->len; i++)
        sum += (double)sorted[i];
    double window_s = sim_time_to_seconds(run->now - run->from);
    StratPushResult result = {
        .workers = spec->served.workers,
        .cycle_s = window_s / updates,
        .updates_per_s = count / window_s,
        .transfer_s = (double)run->moved_ns * 1e-9 / count,
        .wait_s = (double)run->waited_ns * 1e-9 / count,
        .staleness_mean = sum / count,
        .staleness_most = sorted[run->staleness->len - 1],
        .lead_most = run->lead_most,
    };
    for (int q = 0; q < STRAT_STALENESS_QUANTILES; q++)
        result.staleness[q] =
            sorted[(guint)((count - 1.0) * strat_staleness_percent[q] / 100.0 + 0.5)];
    return result;
}

static void open_run(Run *run)
{
    SimRandom streams = sim_random_stream(run->spec->seed, "parameter server workers");
    run->push = (Way){.run = run, .flows = G_QUEUE_INIT};
    run->pull = (Way){.run = run, .flows = G_QUEUE_INIT};
    run->slowest_count = run->spec->served.workers;
    for (int64_t i = 0; i < run->spec->served.workers; i++) {
        run->workers[i].run = run;
        run->workers[i].stream = sim_random_child(&streams, (uint64_t)i);
        begin_step(&run->workers[i], 0);
    }
}

StratPushResult strat_push_run(const StratPushRun *spec)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    g_autoptr(GArray) staleness = g_array_new(FALSE, FALSE, sizeof(int64_t));
    g_autofree Worker *workers = g_new0(Worker, spec->served.workers);
    Run run = {.spec = spec, .queue = queue, .workers = workers, .staleness = staleness};
    SimEvent event;
    open_run(&run);
    while (!run.done && sim_event_queue_pop(queue, &event)) {
        run.now = event.at;
        event.run(event.ctx, event.at);
    }
    g_queue_clear(&run.push.flows);
    g_queue_clear(&run.pull.flows);
    return result_of(&run);
}
