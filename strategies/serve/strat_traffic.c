/* Requests from arrival processes.
 *
 * Starts come from an arrival process; what depends on answers (the next turn of a conversation,
 * the next request of a closed loop's user) waits in a queue for its time. The next request is the
 * earlier head of the two, the queue's on a tie.
 *
 * A conversation is a text that only grows: [system prompt] turn 1, output 1, turn 2, output 2 ...
 * The prompt of turn n is all of it up to turn n, so the pages of two turns of one conversation
 * agree as far as the shorter text goes, and those of two conversations as far as both lie in the
 * shared system prompt. A page's hash chains its own name (conversation and index, or index alone
 * within the system prompt) to the hash before it.
 *
 * Each quantity of a request has a stream of its own name, and each request (or turn) a child of
 * it, so draws never shift one another. Left out: users who abandon or retry, and answers that are
 * not appended to the prompt as a whole. */
#include "strat_traffic.h"

#include "sim_hash.h"
#include "sim_queue.h"
#include "strat_traffic_shares.h"

/* A conversation, or a request on its own as one of a single turn. */
typedef struct Talk {
    int64_t serial; /* number in order of starts */
    int64_t turn;   /* that comes next, from 0 */
    int64_t turns;
    int64_t shared; /* tokens of the system prompt */
    int64_t text;   /* tokens so far, outputs included */
} Talk;

typedef struct Traffic {
    StratSource base;
    const StratTraffic *spec;
    StratArrivalClock clock;
    SimRandom inputs, outputs, turns, sharing, thinks, user_thinks, priorities, adapters;
    SimRandom samples, sample_outputs;
    SimTime end_ns;        /* nothing arrives from here on */
    SimTime start_ns;      /* of the next start, SIM_TIME_MAX: none is left */
    SimEventQueue *queue;  /* of Talk, or of NULL: a user who starts again */
    GHashTable *under_way; /* serial to Talk (owned), of those that have a turn left */
    int64_t started, taken;
    bool known;      /* head and those below are up to date */
    bool from_queue; /* the head comes from there */
    Talk talk;       /* of the head */
    StratRequest head;
    GArray *pages;   /* of uint64_t */
    GArray *lengths; /* of int64_t: of the head's samples */
} Traffic;

void strat_traffic_hash_pages(uint64_t *hash, size_t pages, int64_t page_tokens, int64_t session,
                              int64_t shared)
{
    uint64_t before = 0;
    size_t common = (size_t)(shared / page_tokens);
    uint64_t own = sim_hash_mix((uint64_t)session + 1);
    for (size_t i = 0; i < pages; i++) {
        uint64_t name = (i < common ? 0 : own) + i;
        before = sim_hash_mix(before ^ sim_hash_mix(name));
        hash[i] = before;
    }
}

static int64_t draw_length(const StratLength *length, const SimRandom *stream, const Talk *talk)
{
    SimRandom of_talk = sim_random_child(stream, (uint64_t)talk->serial);
    if (talk->turn > 0)
        of_talk = sim_random_child(&of_talk, (uint64_t)talk->turn);
    return strat_length_draw(length, &of_talk);
}

static int64_t draw_share(const double *running, size_t count, const SimRandom *stream,
                          const Talk *talk)
{
    SimRandom of_talk = sim_random_child(stream, (uint64_t)talk->serial);
    return (int64_t)strat_shares_pick(running, count, sim_random_uniform(&of_talk));
}

/* Nanoseconds of @s, which is never negative; the last instant when they are too many. */
static SimTime time_of(double s)
{
    SimTime time = SIM_TIME_MAX;
    sim_time_from_seconds(s, &time, NULL);
    return time;
}

static SimTime after_think(const StratThink *think, const SimRandom *stream, uint64_t index,
                           SimTime now)
{
    SimRandom own = sim_random_child(stream, index);
    double s = think->exponential ? sim_random_exponential(&own, think->mean_s) : think->mean_s;
    return sim_time_later(now, time_of(s));
}

static Talk new_talk(const Traffic *traffic)
{
    const StratTraffic *spec = traffic->spec;
    Talk talk = {.serial = traffic->started, .turns = 1};
    if (!spec->sessions)
        return talk;
    talk.turns = draw_length(&spec->turns, &traffic->turns, &talk);
    SimRandom own = sim_random_child(&traffic->sharing, (uint64_t)talk.serial);
    if (sim_random_uniform(&own) < spec->shared_fraction)
        talk.shared = spec->system_tokens;
    talk.text = talk.shared;
    return talk;
}

/* The request that is the next turn of @talk. */
static StratRequest request_of(const Traffic *traffic, const Talk *talk, SimTime at)
{
    const StratTraffic *spec = traffic->spec;
    StratRequest request = {.id = traffic->taken, .arrival_ns = at, .session = -1, .adapter = -1};
    request.input_tokens = talk->text + draw_length(&spec->input, &traffic->inputs, talk);
    request.output_tokens = draw_length(&spec->output, &traffic->outputs, talk);
    request.beams = spec->beams;
    request.beam_turnover = spec->beam_turnover;
    if (spec->sessions)
        request.session = talk->serial;
    if (spec->priority_count > 0)
        request.priority =
            draw_share(spec->priorities, spec->priority_count, &traffic->priorities, talk);
    if (spec->adapter_count > 0)
        request.adapter = draw_share(spec->adapters, spec->adapter_count, &traffic->adapters, talk);
    return request;
}

/* Samples of the head: the first has the output that was drawn, each other one its own. */
static void sample_head(Traffic *traffic)
{
    StratRequest *head = &traffic->head;
    SimRandom of_talk = sim_random_child(&traffic->sample_outputs, (uint64_t)traffic->talk.serial);
    head->samples = draw_length(&traffic->spec->samples, &traffic->samples, &traffic->talk);
    g_array_set_size(traffic->lengths, 0);
    for (int64_t i = 0; i < head->samples; i++) {
        SimRandom own = sim_random_child(&of_talk, (uint64_t)i);
        int64_t output =
            i == 0 ? head->output_tokens : strat_length_draw(&traffic->spec->output, &own);
        g_array_append_val(traffic->lengths, output);
        head->output_tokens = MAX(head->output_tokens, output);
    }
    head->sample_output = (const int64_t *)(void *)traffic->lengths->data;
}

static void hash_head(Traffic *traffic)
{
    StratRequest *head = &traffic->head;
    int64_t page_tokens = traffic->base.page_tokens;
    head->pages = (size_t)((head->input_tokens + head->output_tokens) / page_tokens);
    g_array_set_size(traffic->pages, (guint)head->pages);
    head->page = (const uint64_t *)(void *)traffic->pages->data;
    strat_traffic_hash_pages((uint64_t *)(void *)traffic->pages->data, head->pages, page_tokens,
                             head->session, traffic->talk.shared);
}

static const StratRequest *peek(StratSource *source)
{
    Traffic *traffic = (Traffic *)source;
    const StratTraffic *spec = traffic->spec;
    if (!traffic->known) {
        SimEvent event = {.at = SIM_TIME_MAX};
        bool waits = sim_event_queue_peek(traffic->queue, &event);
        traffic->from_queue = waits && event.at <= traffic->start_ns;
        SimTime at = traffic->from_queue ? event.at : traffic->start_ns;
        const Talk *waiting = traffic->from_queue ? event.ctx : NULL;
        traffic->talk = waiting ? *waiting : new_talk(traffic);
        traffic->head = request_of(traffic, &traffic->talk, at);
        if (spec->forks)
            sample_head(traffic);
        if (spec->sessions)
            hash_head(traffic);
        traffic->known = true;
    }
    bool over = spec->requests > 0 && traffic->taken >= spec->requests;
    return over || traffic->head.arrival_ns >= traffic->end_ns ? NULL : &traffic->head;
}

/* The turn of the head was sent: what is left of its conversation waits for the answer. */
static void keep_talking(Traffic *traffic)
{
    Talk *talk = &traffic->talk;
    bool was_under_way = talk->turn > 0;
    talk->text = traffic->head.input_tokens + traffic->head.output_tokens;
    talk->turn++;
    bool goes_on = talk->turn < talk->turns;
    if (goes_on && traffic->spec->max_context > 0) {
        StratRequest next = request_of(traffic, talk, 0);
        goes_on = next.input_tokens + next.output_tokens <= traffic->spec->max_context;
    }
    if (goes_on) {
        Talk *kept = g_memdup2(talk, sizeof *talk);
        g_hash_table_replace(traffic->under_way, &kept->serial, kept);
    } else if (was_under_way) {
        g_hash_table_remove(traffic->under_way, &talk->serial);
    }
}

static void take(StratSource *source)
{
    Traffic *traffic = (Traffic *)source;
    g_assert(traffic->known);
    if (traffic->from_queue) {
        SimEvent event;
        sim_event_queue_pop(traffic->queue, &event);
    } else {
        traffic->start_ns = time_of(strat_arrivals_next(&traffic->clock));
    }
    traffic->started += traffic->talk.turn == 0;
    traffic->taken++;
    keep_talking(traffic);
    traffic->known = false;
}

/* The queue is only looked at: its events do nothing by themselves. */
static void comes_up(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
}

static void done(StratSource *source, int64_t id, int64_t session, SimTime now)
{
    Traffic *traffic = (Traffic *)source;
    const StratTraffic *spec = traffic->spec;
    Talk *talk = session < 0 ? NULL : g_hash_table_lookup(traffic->under_way, &session);
    SimTime at = SIM_TIME_MAX;
    if (talk) {
        SimRandom of_talk = sim_random_child(&traffic->thinks, (uint64_t)talk->serial);
        at = after_think(&spec->turn_think, &of_talk, (uint64_t)talk->turn, now);
    } else if (spec->arrivals.kind == STRAT_ARRIVALS_CLOSED_LOOP) {
        at = after_think(&spec->think, &traffic->user_thinks, (uint64_t)id, now);
    }
    if (at == SIM_TIME_MAX)
        return;
    sim_event_queue_push(traffic->queue, at, SIM_PHASE_CHANGE, comes_up, talk);
    traffic->known = false;
}

static void traffic_free(StratSource *source)
{
    Traffic *traffic = (Traffic *)source;
    sim_event_queue_free(traffic->queue);
    g_hash_table_unref(traffic->under_way);
    g_array_unref(traffic->pages);
    g_array_unref(traffic->lengths);
    g_free(traffic);
}

StratSource *strat_traffic_new(const StratTraffic *spec, uint64_t seed)
{
    g_assert(!spec->sessions || spec->page_tokens > 0);
    Traffic *traffic = g_new0(Traffic, 1);
    traffic->base = (StratSource){.page_tokens = spec->sessions ? spec->page_tokens : 0,
                                  .samples = spec->forks,
                                  .beams = spec->beams > 1,
                                  .peek = peek,
                                  .take = take,
                                  .done = done,
                                  .free = traffic_free};
    traffic->spec = spec;
    traffic->clock = strat_arrivals_start(&spec->arrivals, seed);
    traffic->inputs = sim_random_stream(seed, "input");
    traffic->outputs = sim_random_stream(seed, "output");
    traffic->turns = sim_random_stream(seed, "sessions/turns");
    traffic->sharing = sim_random_stream(seed, "sessions/shared");
    traffic->thinks = sim_random_stream(seed, "sessions/think");
    traffic->user_thinks = sim_random_stream(seed, "think");
    traffic->priorities = sim_random_stream(seed, "priority");
    traffic->adapters = sim_random_stream(seed, "adapter");
    traffic->samples = sim_random_stream(seed, "samples");
    traffic->sample_outputs = sim_random_stream(seed, "samples/output");
    traffic->end_ns = spec->duration_s > 0.0 ? time_of(spec->duration_s) : SIM_TIME_MAX;
    traffic->start_ns = time_of(strat_arrivals_next(&traffic->clock));
    traffic->queue = sim_event_queue_new();
    traffic->under_way = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    traffic->pages = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    traffic->lengths = g_array_new(FALSE, FALSE, sizeof(int64_t));
    return &traffic->base;
}
