/* Tables of a serving run: a line a request, a line an instant. Times that did not happen are
 * empty.
 */
#include "scen_serve_report.h"

#define I64 "%" G_GINT64_FORMAT

static void add_time(GString *out, SimTime at, SimTime since)
{
    if (at >= 0 && since >= 0)
        g_string_append_printf(out, ",%.9f", sim_time_to_seconds(at - since));
    else
        g_string_append_c(out, ',');
}

char *scen_serve_requests_csv(const StratServeResult *result)
{
    GString *out = g_string_new("");
    if (!result->outcomes)
        return g_string_free(out, FALSE);
    g_string_append(out,
                    "id,arrival_s,input_tokens,output_tokens,cached_tokens,queue_s,ttft_s,e2e_s,"
                    "replica,preemptions\n");
    for (guint i = 0; i < result->outcomes->len; i++) {
        const StratOutcome *o = &g_array_index(result->outcomes, StratOutcome, i);
        g_string_append_printf(out, I64, o->id);
        add_time(out, o->arrival_ns, 0);
        g_string_append_printf(out, "," I64 "," I64 "," I64, o->input_tokens, o->output_tokens,
                               o->cached_tokens);
        add_time(out, o->scheduled_ns, o->arrival_ns);
        add_time(out, o->first_token_ns, o->arrival_ns);
        add_time(out, o->last_token_ns, o->arrival_ns);
        g_string_append_printf(out, ",%d,%d\n", (int)o->replica, (int)o->preemptions);
    }
    return g_string_free(out, FALSE);
}

char *scen_serve_samples_csv(const StratServeResult *result)
{
    GString *out = g_string_new("");
    if (!result->samples)
        return g_string_free(out, FALSE);
    g_string_append(out,
                    "at_s,running,waiting,kv_fraction,prompt_tokens_per_s,output_tokens_per_s\n");
    for (guint i = 0; i < result->samples->len; i++) {
        const StratServeSample *s = &g_array_index(result->samples, StratServeSample, i);
        g_string_append_printf(out, "%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", s->at_s, s->running,
                               s->waiting, s->kv_fraction, s->prompt_tokens_per_s,
                               s->output_tokens_per_s);
    }
    return g_string_free(out, FALSE);
}
