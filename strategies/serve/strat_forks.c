/*
 * Several answers to one prompt. As a group (vLLM V0: one SequenceGroup, vllm/sequence.py) they are
 * rows of one sequence: they start together at the end of the prompt, run and are swapped together,
 * so all of them have the same number of tokens T in the cache. With P tokens of prompt, blocks of
 * B, F = floor(P / B) and n samples the group has (Kwon 2023, section 4.4, figure 8)
 *
 *     T <= P    ceil(T / B)                  one prompt; its last block is shared until it is
 *     T > P     F + n (ceil(T / B) - F)      written to: n - 1 copies, the last holder keeps it
 *
 * blocks; each sample that ends frees its ceil(T / B) - F. Beams: strat_beams.c.
 *
 * As children (vLLM V1, vllm/v1/engine/parallel_sampling.py) they are n requests to the engine,
 * which share what the prefix cache makes them share: full blocks of the prompt; each computes the
 * rest. The request is finished with the last of them, its first token is the first of any.
 *
 * Left out: the time of the copies (vLLM V0 copies n - 1 blocks before the iteration, of 13 MB each
 * for a model of 13 billion weights in 16 bits: microseconds); pages of a group's outputs do not
 * enter a prefix cache; best_of above n. SGLang, which sends the prompt once, without outputs, and
 * the n requests when it is answered (tokenizer_manager.py), and TensorRT-LLM are not modelled.
 */
#include "strat_forks.h"

static int compare_outputs(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a;
    int32_t right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static StratForks *new_forks(StratSequence *sequence, int64_t sequences)
{
    StratForks *forks = g_new(StratForks, 1);
    *forks = (StratForks){
        .samples = (int32_t)sequences,
        .sequences = (int32_t)sequences,
        .left = (int32_t)sequences,
        .scheduled_ns = -1,
        .first_token_ns = -1,
    };
    sequence->forks = forks;
    return forks;
}

static int64_t output_of(const StratRequest *request, int64_t sample)
{
    return request->sample_output ? request->sample_output[sample] : request->output_tokens;
}

void strat_forks_group(StratSequence *sequence, const StratRequest *request)
{
    StratForks *forks = new_forks(sequence, 1);
    forks->searches = request->beams > 1;
    forks->turnover = request->beam_turnover;
    forks->samples = (int32_t)(forks->searches ? request->beams : request->samples);
    forks->output = g_new(int32_t, (size_t)forks->samples);
    for (int32_t i = 0; i < forks->samples; i++)
        forks->output[i] =
            (int32_t)(forks->searches ? request->output_tokens : output_of(request, i));
    qsort(forks->output, (size_t)forks->samples, sizeof(int32_t), compare_outputs);
    sequence->twins = forks->samples - 1;
}

StratSequence *strat_forks_children(StratSequence *sequence, const StratRequest *request,
                                    int64_t page_tokens)
{
    StratSequence *others = NULL;
    new_forks(sequence, request->samples);
    if (page_tokens > 0 && !sequence->page)
        strat_sequence_name_pages(sequence, page_tokens);
    sequence->output_tokens = (int32_t)output_of(request, 0);
    for (int64_t i = request->samples - 1; i > 0; i--) {
        StratSequence *child = g_memdup2(sequence, sizeof *sequence);
        child->sample = (int32_t)i;
        child->output_tokens = (int32_t)output_of(request, i);
        if (sequence->page) {
            child->page = g_memdup2(sequence->page, (size_t)sequence->pages * sizeof(uint64_t));
            strat_sequence_part_pages(child, page_tokens);
        }
        child->next = others;
        others = child;
    }
    return others;
}

void strat_forks_unref(StratForks *forks)
{
    if (!forks || --forks->sequences > 0)
        return;
    strat_beams_free(forks->beams);
    g_free(forks->output);
    g_free(forks);
}

void strat_forks_begin(StratSequence *sequence, uint64_t seed, int64_t block_tokens)
{
    StratForks *forks = sequence->forks;
    sequence->output_tokens = forks->output[0];
    if (!forks->searches)
        return;
    SimRandom all = sim_random_stream(seed, "beams");
    SimRandom own = sim_random_child(&all, (uint64_t)sequence->id);
    forks->beams = strat_beams_new(&own, forks->samples, sequence->input_tokens,
                                   sequence->output_tokens - 1, block_tokens, forks->turnover);
}

bool strat_forks_go_on(StratSequence *sequence, int32_t *rows)
{
    StratForks *forks = sequence->forks;
    const int32_t *next = &forks->output[forks->samples - sequence->twins - 1];
    *rows = 0;
    while (*rows <= sequence->twins && next[*rows] == sequence->produced)
        ++*rows;
    forks->said += (int64_t)*rows * sequence->produced;
    if (*rows > sequence->twins)
        return false;
    sequence->twins -= *rows;
    sequence->output_tokens = next[*rows];
    return true;
}

bool strat_forks_finish(StratSequence *sequence)
{
    StratForks *forks = sequence->forks;
    if (!forks)
        return true;
    if (forks->output)
        return --forks->left == 0;
    forks->said += sequence->produced;
    forks->preemptions += sequence->preemptions;
    forks->longest = MAX(forks->longest, sequence->output_tokens);
    if (forks->scheduled_ns < 0 || sequence->scheduled_ns < forks->scheduled_ns) {
        forks->scheduled_ns = sequence->scheduled_ns;
        forks->cached_tokens = sequence->cached_tokens;
    } else if (sequence->scheduled_ns == forks->scheduled_ns) {
        forks->cached_tokens = MIN(forks->cached_tokens, sequence->cached_tokens);
    }
    sequence->scheduled_ns = forks->scheduled_ns;
    sequence->cached_tokens = forks->cached_tokens;
    sequence->first_token_ns = forks->first_token_ns;
    sequence->preemptions = forks->preemptions;
    sequence->output_tokens = forks->longest;
    return --forks->left == 0;
}

static int64_t blocks_of(int64_t tokens, int64_t block_tokens)
{
    return (tokens + block_tokens - 1) / block_tokens;
}

static bool is_forked(const StratSequence *sequence, int64_t tokens)
{
    return sequence->twins > 0 && tokens > sequence->input_tokens;
}

int64_t strat_forks_held(const StratSequence *sequence, int64_t tokens, int64_t block_tokens)
{
    int64_t each = blocks_of(tokens, block_tokens);
    if (!is_forked(sequence, tokens))
        return each;
    if (sequence->forks->beams)
        return sequence->forks->beams->held[tokens - sequence->input_tokens];
    int64_t full = sequence->input_tokens / block_tokens;
    return full + strat_sequence_rows(sequence) * (each - full);
}

int64_t strat_forks_rest(const StratSequence *sequence, int64_t tokens, int64_t block_tokens)
{
    if (is_forked(sequence, tokens) && sequence->forks->beams)
        return sequence->forks->beams->rest[tokens - sequence->input_tokens];
    return strat_forks_held(sequence, tokens, block_tokens);
}

int64_t strat_forks_shared(const StratSequence *sequence, int64_t tokens, int64_t block_tokens)
{
    int64_t rows = strat_sequence_rows(sequence);
    if (!is_forked(sequence, tokens))
        return (rows - 1) * tokens;
    if (!sequence->forks->beams)
        return (rows - 1) * (sequence->input_tokens / block_tokens * block_tokens);
    int64_t each = blocks_of(tokens, block_tokens);
    int64_t last = tokens - (each - 1) * block_tokens;
    int64_t ends = rows - sequence->forks->beams->ends[tokens - sequence->input_tokens];
    int64_t saved = rows * each - strat_forks_rest(sequence, tokens, block_tokens);
    return (saved - ends) * block_tokens + ends * last;
}
