/* Replay of a trace as a source of requests.
 *
 *   arrival = (clock of the row + shift of the pass) / rate_scale
 *
 * The shift of the first pass is 0, or takes a clock that starts anywhere to 0. Each further pass
 * starts a mean gap after the end of the last one, so that repeating keeps the rate. Ids of pages
 * are chained (an id says what is in a page, not what precedes it), salted with the pass: the
 * second pass is other people's text.
 *
 * A row with several turns is an agent: turn n + 1 is sent when turn n is answered and its tool has
 * run. Tools take their time whatever the rate scale. Only the next row and the turns of agents
 * under way are in memory. */
#include "scen_trace.h"

#include "scen_trace_row.h"
#include "sim_hash.h"
#include "sim_queue.h"

/* An agent under way. */
typedef struct Agent {
    int64_t serial;
    guint turn;    /* that comes next */
    GArray *turns; /* of ScenTraceTurn */
} Agent;

typedef struct Trace {
    StratSource base;
    ScenTraceReader reader;
    double rate_scale;
    int64_t limit, passes;
    ScenTraceRow row; /* the next one */
    bool has_row;
    SimTime row_ns; /* its arrival */
    int64_t pass, rows, skipped, taken, agents;
    SimTime first_ns, last_ns, shift_ns; /* of the pass, as the file counts */
    SimEventQueue *queue;                /* of Agent */
    GHashTable *under_way;               /* serial to Agent, owned */
    GError *fault;
    bool known, from_queue;
    StratRequest head;
} Trace;

static void agent_free(void *data)
{
    Agent *agent = data;
    g_array_unref(agent->turns);
    g_free(agent);
}

/* Shifts what follows by the length of the pass that ended and a mean gap. */
static void next_pass(Trace *trace)
{
    SimTime length = trace->last_ns - trace->first_ns;
    SimTime gap = trace->rows > 1 ? length / (trace->rows - 1) : 0;
    trace->pass++;
    trace->shift_ns = sim_time_later(sim_time_later(length, gap), trace->shift_ns);
    trace->rows = 0;
    scen_trace_reader_rewind(&trace->reader);
}

/* Checks the order and tells when the row arrives. */
static bool place_row(Trace *trace)
{
    const SimTime at = trace->row.arrival_ns;
    if (trace->rows > 0 && at < trace->last_ns)
        return scen_lines_fail(trace->reader.lines, NULL, &trace->fault,
                               "arrives %.9g s before the row above it: sort the trace by arrival",
                               sim_time_to_seconds(trace->last_ns - at));
    if (trace->rows == 0) {
        trace->first_ns = at;
        if (trace->pass == 0 && trace->reader.format->from_first)
            trace->shift_ns = -at;
    }
    trace->last_ns = at;
    trace->rows++;
    trace->row_ns = sim_time_later(at, trace->shift_ns);
    double scaled_s = sim_time_to_seconds(trace->row_ns) / trace->rate_scale;
    if (trace->rate_scale != 1.0 && !sim_time_from_seconds(scaled_s, &trace->row_ns, NULL))
        trace->row_ns = SIM_TIME_MAX;
    return true;
}

/* Chains the ids of the row's pages into hashes. */
static void chain_pages(const Trace *trace)
{
    uint64_t before = (uint64_t)trace->pass;
    for (guint i = 0; i < trace->row.pages->len; i++) {
        uint64_t *page = &g_array_index(trace->row.pages, uint64_t, i);
        *page = before = sim_hash_mix(before ^ sim_hash_mix(*page));
    }
}

/* Reads on to the next row that counts. */
static void read_row(Trace *trace)
{
    trace->has_row = false;
    for (;;) {
        if (!scen_trace_reader_next(&trace->reader, &trace->row, &trace->fault)) {
            if (trace->fault || trace->pass + 1 >= trace->passes || trace->rows == 0)
                return;
            next_pass(trace);
            continue;
        }
        if (trace->row.failed) {
            trace->skipped++;
            continue;
        }
        trace->has_row = place_row(trace);
        chain_pages(trace);
        return;
    }
}

/* The head from the row. */
static void head_from_row(Trace *trace)
{
    const ScenTraceRow *row = &trace->row;
    trace->head = (StratRequest){.arrival_ns = trace->row_ns,
                                 .input_tokens = row->input_tokens,
                                 .output_tokens = row->output_tokens,
                                 .page = (const uint64_t *)(void *)row->pages->data,
                                 .pages = row->pages->len,
                                 .samples = row->samples,
                                 .session = row->session,
                                 .priority = row->priority};
    if (row->session >= 0 && trace->pass > 0)
        trace->head.session =
            (int64_t)(sim_hash_mix((uint64_t)row->session ^ sim_hash_mix((uint64_t)trace->pass)) >>
                      1);
    if (row->turns->len > 0) {
        const ScenTraceTurn *turn = &g_array_index(row->turns, ScenTraceTurn, 0);
        trace->head.input_tokens = turn->input_tokens;
        trace->head.output_tokens = turn->output_tokens;
        trace->head.session = trace->agents;
    }
}

static void head_from_agent(Trace *trace, const Agent *agent, SimTime at)
{
    const ScenTraceTurn *turn = &g_array_index(agent->turns, ScenTraceTurn, agent->turn);
    trace->head = (StratRequest){.arrival_ns = at,
                                 .input_tokens = turn->input_tokens,
                                 .output_tokens = turn->output_tokens,
                                 .session = agent->serial};
}

static const StratRequest *peek(StratSource *source)
{
    Trace *trace = (Trace *)source;
    if (trace->fault || (trace->limit > 0 && trace->taken >= trace->limit))
        return NULL;
    if (!trace->known) {
        SimEvent event = {0};
        bool waits = sim_event_queue_peek(trace->queue, &event);
        if (!waits && !trace->has_row)
            return NULL;
        trace->from_queue = waits && (!trace->has_row || event.at <= trace->row_ns);
        if (trace->from_queue)
            head_from_agent(trace, event.ctx, event.at);
        else
            head_from_row(trace);
        trace->head.id = trace->taken;
        trace->head.adapter = -1;
        trace->known = true;
    }
    return &trace->head;
}

static void take(StratSource *source)
{
    Trace *trace = (Trace *)source;
    g_assert(trace->known);
    trace->known = false;
    trace->taken++;
    if (trace->from_queue) {
        SimEvent event;
        sim_event_queue_pop(trace->queue, &event);
        Agent *agent = event.ctx;
        if (++agent->turn == agent->turns->len)
            g_hash_table_remove(trace->under_way, &agent->serial);
        return;
    }
    guint turns = trace->row.turns->len;
    if (turns > 1) {
        Agent *agent = g_new(Agent, 1);
        *agent = (Agent){.serial = trace->agents, .turn = 1, .turns = trace->row.turns};
        trace->row.turns = g_array_new(FALSE, FALSE, sizeof(ScenTraceTurn));
        g_hash_table_insert(trace->under_way, &agent->serial, agent);
    }
    trace->agents += turns > 0;
    if (trace->taken != trace->limit)
        read_row(trace);
}

/* The queue is only looked at: its events do nothing by themselves. */
static void comes_up(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
}

static void done(StratSource *source, int64_t id, int64_t session, SimTime now)
{
    (void)id;
    Trace *trace = (Trace *)source;
    Agent *agent = g_hash_table_lookup(trace->under_way, &session);
    if (!agent)
        return;
    SimTime tool = g_array_index(agent->turns, ScenTraceTurn, agent->turn - 1).tool_ns;
    sim_event_queue_push(trace->queue, sim_time_later(now, tool), SIM_PHASE_CHANGE, comes_up,
                         agent);
    trace->known = false;
}

static const GError *fault(const StratSource *source)
{
    return ((const Trace *)source)->fault;
}

static void trace_free(StratSource *source)
{
    Trace *trace = (Trace *)source;
    scen_trace_reader_clear(&trace->reader);
    scen_trace_row_clear(&trace->row);
    sim_event_queue_free(trace->queue);
    g_hash_table_unref(trace->under_way);
    g_clear_error(&trace->fault);
    g_free(trace);
}

StratSource *scen_trace_new(ScenLines *lines, const ScenTraceOptions *options, GError **error)
{
    Trace *trace = g_new0(Trace, 1);
    g_autoptr(StratSource) source = &trace->base;
    trace->base =
        (StratSource){.peek = peek, .take = take, .done = done, .fault = fault, .free = trace_free};
    trace->rate_scale = options->rate_scale > 0.0 ? options->rate_scale : 1.0;
    trace->limit = options->limit;
    trace->passes = options->repeat;
    trace->queue = sim_event_queue_new();
    trace->under_way = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, agent_free);
    scen_trace_row_init(&trace->row);
    trace->reader.lines = lines;
    const ScenTraceFormat *format =
        options->format ? scen_trace_format_by_name(options->format, error) : NULL;
    if (options->format && !format)
        return NULL;
    if (!scen_trace_reader_init(&trace->reader, lines, format, error))
        return NULL;
    trace->base.page_tokens = trace->reader.format->page_tokens;
    trace->base.samples =
        !trace->reader.format->json && trace->reader.column[SCEN_TRACE_SAMPLES] >= 0;
    read_row(trace);
    if (!trace->has_row && !trace->fault)
        scen_lines_fail(lines, NULL, &trace->fault, "the trace holds no request");
    if (trace->fault) {
        g_propagate_error(error, g_steal_pointer(&trace->fault));
        return NULL;
    }
    return g_steal_pointer(&source);
}

StratSource *scen_trace_open(const char *path, const ScenTraceOptions *options, GError **error)
{
    ScenLines *lines = scen_lines_open(path, error);
    return lines ? scen_trace_new(lines, options, error) : NULL;
}

int64_t scen_trace_skipped(const StratSource *source)
{
    return ((const Trace *)source)->skipped;
}
