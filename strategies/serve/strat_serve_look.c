/*
 * A sample of a run of serving: what all replicas do at one instant, which may fall into the middle
 * of runs of iterations that are summed up. Rates are over the time since the sample before.
 */
#include "strat_lane.h"
#include "strat_serve_private.h"

void strat_serve_look(StratServeState *run)
{
    StratServeSample sample = {.at_s = strat_fine_seconds(run->next_sample)};
    double used = 0.0;
    double all = 0.0;
    int64_t made = run->tally.made;
    for (size_t i = 0; i < run->seats; i++) {
        const StratLane *lane = run->seat[i].lane;
        const StratReplica *replica = lane->replica;
        int64_t done = strat_lane_done(lane, run->next_sample);
        made += lane->decoding ? done * lane->decodes.growth : 0;
        used += (double)strat_lane_grown(lane, run->next_sample);
        if (lane != replica->lane)
            continue;
        sample.running += (double)replica->running;
        sample.waiting += (double)replica->waiting.length;
        used += (double)(strat_kv_blocks(replica->kv) - strat_replica_free_blocks(replica));
        all += (double)strat_kv_blocks(replica->kv);
    }
    double passed_s = run->spec->sample_s;
    double token = (double)(INT64_C(1) << STRAT_TOKEN_BITS);
    sample.kv_fraction = all > 0.0 ? used / all : 0.0;
    sample.output_tokens_per_s = (double)(made - run->sampled_made) / token / passed_s;
    sample.prompt_tokens_per_s =
        (double)(run->tally.prompt_tokens - run->sampled_prompts) / passed_s;
    run->sampled_made = made;
    run->sampled_prompts = run->tally.prompt_tokens;
    g_array_append_val(run->tally.result->samples, sample);
    run->next_sample += strat_fine_from_seconds(run->spec->sample_s);
}
