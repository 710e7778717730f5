/* A replica driven by hand: no event loop, so a line is exactly one decision. */
#include "serve_log.h"

#include "strat_forks.h"
#include "strat_lane.h"
#include "strat_scheduler.h"
#include "strat_tally.h"
#include "toy_serve.h"

typedef struct Log {
    GString *text;
    GPtrArray *alive; /* of StratSequence, by id; NULL: finished or not come, or several */
    bool counts;
} Log;

static void on_finished(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now)
{
    (void)replica;
    (void)now;
    ((Log *)ctx)->alive->pdata[sequence->id] = NULL;
}

static void enqueue(Log *log, StratReplica *replica, const StratRequest *request)
{
    StratSequence *sequence = g_new0(StratSequence, 1);
    sequence->id = request->id;
    sequence->session = -1;
    sequence->arrival_ns = request->arrival_ns;
    sequence->scheduled_ns = sequence->first_token_ns = sequence->last_token_ns = -1;
    sequence->input_tokens = (int32_t)request->input_tokens;
    sequence->output_tokens = (int32_t)request->output_tokens;
    sequence->priority = (int32_t)request->priority;
    sequence->adapter = (int32_t)request->adapter;
    sequence->page = g_memdup2(request->page, request->pages * sizeof *request->page);
    sequence->pages = (int32_t)request->pages;
    StratSequence *others = NULL;
    bool group = replica->scheduler->forking == STRAT_FORKING_GROUP;
    if (request->beams > 1 || (request->samples > 1 && group))
        strat_forks_group(sequence, request);
    else if (request->samples > 1)
        others = strat_forks_children(sequence, request, strat_kv_page_tokens(replica->kv));
    if (!others)
        log->alive->pdata[sequence->id] = sequence;
    strat_replica_enqueue(replica, sequence);
    for (StratSequence *next; others; others = next) {
        next = others->next;
        strat_replica_enqueue(replica, others);
    }
}

static void name(GString *text, const char *before, const StratSequence *sequence)
{
    g_string_append_printf(text, " %s%d", before, (int)sequence->id);
    if (sequence->sample > 0)
        g_string_append_printf(text, ".%d", (int)sequence->sample);
    if (strat_sequence_is_group(sequence) && sequence->state == STRAT_SEQUENCE_DECODE)
        g_string_append_printf(text, "x%d", (int)strat_sequence_rows(sequence));
}

static void note(Log *log, const StratLane *lane, int32_t *preemptions)
{
    double t = strat_fine_seconds(lane->now);
    g_string_append_printf(log->text, "%g:", t);
    for (const StratSequence *s = lane->running.head; s && lane->decoding; s = s->next)
        if (s->state == STRAT_SEQUENCE_DECODE)
            name(log->text, "", s);
    for (guint i = 0; i < lane->chunk->len; i++) {
        const StratSequence *s = g_ptr_array_index(lane->chunk_of, i);
        name(log->text, "+", s);
        g_string_append_printf(log->text, "/%d",
                               (int)g_array_index(lane->chunk, StratChunk, i).tokens);
    }
    for (guint i = 0; i < log->alive->len; i++) {
        const StratSequence *s = g_ptr_array_index(log->alive, i);
        if (s && s->preemptions > preemptions[i]) {
            g_string_append_printf(log->text, " -%d", (int)i);
            preemptions[i] = s->preemptions;
        }
    }
    const StratKv *kv = lane->replica->kv;
    if (log->counts)
        g_string_append_printf(log->text, " =%d",
                               (int)(strat_kv_blocks(kv) - strat_kv_available(kv)));
    if (!strat_replica_is_sound(lane->replica, NULL))
        g_string_append(log->text, " unsound");
    g_string_append_c(log->text, '\n');
}

static void drive(Log *log, StratReplica *replica, const StratRequest *request, size_t count)
{
    g_autofree int32_t *preemptions = g_new0(int32_t, count);
    StratLane *lane = replica->lane;
    StratFine now = 0;
    for (size_t next = 0;;) {
        for (; next < count && strat_fine_from_ns(request[next].arrival_ns) <= now; next++)
            enqueue(log, replica, &request[next]);
        if (strat_lane_begin(lane, now, true)) {
            note(log, lane, preemptions);
            now = lane->end;
            strat_lane_end(lane);
            continue;
        }
        StratFine come = next < count ? strat_fine_from_ns(request[next].arrival_ns) : 0;
        if (come == 0 && lane->end <= now)
            return;
        now = lane->end <= now ? come : come == 0 ? lane->end : MIN(come, lane->end);
    }
}

char *serve_log(const StratEngine *engine, int64_t blocks, int64_t page_tokens,
                const StratRequest *request, size_t count)
{
    ServeHost host = {0};
    return serve_log_host(engine, blocks, page_tokens, &host, request, count);
}

char *serve_log_host(const StratEngine *engine, int64_t blocks, int64_t page_tokens,
                     const ServeHost *host, const StratRequest *request, size_t count)
{
    Log log = {.text = g_string_new(NULL), .alive = g_ptr_array_new(), .counts = host->counts};
    g_ptr_array_set_size(log.alive, (int)count);
    ToyPricer pricer = toy_pricer(1.0, 0.0, 0.0);
    StratDeployment deployment = toy_deployment(engine);
    StratServeSpec spec = {.deployment = &deployment, .warm_up_requests = 0};
    StratTally tally;
    strat_tally_init(&tally, &spec);
    StratReplicaSpec replica_spec = {
        .engine = engine,
        .scheduler = strat_scheduler_by_name(engine->scheduler, NULL),
        .pricer = &pricer.base,
        .ranks = 1,
        .lanes = 1,
        .gpus = 1,
        .blocks = blocks,
        .host_blocks = host->blocks,
        .swap_block_s = host->swap_block_s,
        .tier = host->tier,
        .tiers = host->tiers,
        .page_tokens = page_tokens,
        .guesses = &deployment.speculation,
        .tally = &tally,
        .events = {.ctx = &log, .finished = on_finished},
    };
    StratReplica *replica = strat_replica_new(&replica_spec);
    drive(&log, replica, request, count);
    if (replica->outstanding > 0)
        g_string_append(log.text, "stuck\n");
    if (!strat_kv_is_sound(replica->kv, NULL) ||
        strat_replica_free_blocks(replica) != strat_kv_blocks(replica->kv))
        g_string_append(log.text, "blocks lost\n");
    strat_replica_free(replica);
    strat_tally_clear(&tally);
    g_ptr_array_unref(log.alive);
    return g_string_free(log.text, false);
}

StratRequest serve_request(int64_t id, double at_s, int64_t input, int64_t output)
{
    return (StratRequest){
        .id = id,
        .arrival_ns = (SimTime)(at_s * 1e9),
        .input_tokens = input,
        .output_tokens = output,
        .session = -1,
        .adapter = -1,
    };
}
