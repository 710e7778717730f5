/* "last-stage,op=optimizer": what a what-if makes ideal. Terms add up: an operation that one of
 * them names is ideal. `balance` moves work between stages after that. */
#include "scen_replay_terms.h"

#include "scen_errors.h"
#include "scen_names.h"

#include <string.h>

static const char *const words[] = {"all",     "compute", "communication", "last-stage", "balance",
                                    "worker=", "dp=",     "stage=",        "op="};

static bool fail_term(const char *term, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        g_ptr_array_add(known, (void *)words[i]);
    g_autofree char *advice = scen_names_advice(term, known);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "unknown what-if '%s'%s", term, advice);
    return false;
}

/* A number below @count that ends at @stop. */
static bool read_number(const char *term, const char *at, char stop, int32_t count, int32_t *number,
                        const char **rest, GError **error)
{
    char *end = NULL;
    guint64 value = g_ascii_isdigit(*at) ? g_ascii_strtoull(at, &end, 10) : G_MAXUINT64;
    if (value >= (guint64)count || !end || *end != stop) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "what-if '%s': a number from 0 to %d is due at '%s'%s", term, count - 1, at,
                    stop == '/' ? ", and /PP after it" : "");
        return false;
    }
    *number = (int32_t)value;
    *rest = end + 1;
    return true;
}

static bool read_op(const char *name, StratReplayPick *pick, GError **error)
{
    StratReplayKind kind;
    if (strat_replay_kind_by_name(name, &kind)) {
        pick->kind = (int32_t)kind;
        return true;
    }
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (kind = 0; kind < STRAT_REPLAY_KINDS; kind++)
        g_ptr_array_add(known, (void *)strat_replay_kind(kind)->name);
    g_autofree char *advice = scen_names_advice(name, known);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "unknown operation '%s'%s", name, advice);
    return false;
}

static bool read_term(const char *term, const StratReplay *replay, StratReplayPick *pick,
                      GError **error)
{
    const char *rest = NULL;
    *pick = STRAT_REPLAY_PICK_ALL;
    if (g_str_equal(term, "all"))
        return true;
    if (g_str_equal(term, "compute") || g_str_equal(term, "communication")) {
        pick->family = g_str_equal(term, "compute") ? STRAT_REPLAY_FAMILY_COMPUTE
                                                    : STRAT_REPLAY_FAMILY_COMMUNICATION;
        return true;
    }
    if (g_str_equal(term, "last-stage")) {
        pick->pp = replay->pps - 1;
        return true;
    }
    if (g_str_has_prefix(term, "worker="))
        return read_number(term, term + 7, '/', replay->dps, &pick->dp, &rest, error) &&
               read_number(term, rest, '\0', replay->pps, &pick->pp, &rest, error);
    if (g_str_has_prefix(term, "dp="))
        return read_number(term, term + 3, '\0', replay->dps, &pick->dp, &rest, error);
    if (g_str_has_prefix(term, "stage="))
        return read_number(term, term + 6, '\0', replay->pps, &pick->pp, &rest, error);
    if (g_str_has_prefix(term, "op="))
        return read_op(term + 3, pick, error);
    return fail_term(term, error);
}

bool scen_replay_terms_read(const char *text, const StratReplay *replay, ScenReplayTerms *terms,
                            GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_auto(ScenReplayTerms) read = {
        .picks = g_array_new(FALSE, FALSE, sizeof(StratReplayPick)),
    };
    if (!parts[0])
        return fail_term("", error);
    for (size_t i = 0; parts[i]; i++) {
        StratReplayPick pick;
        if (g_str_equal(parts[i], "balance")) {
            read.balance = true;
            continue;
        }
        if (!read_term(parts[i], replay, &pick, error))
            return false;
        g_array_append_val(read.picks, pick);
    }
    *terms = read;
    read.picks = NULL;
    return true;
}

void scen_replay_terms_clear(ScenReplayTerms *terms)
{
    if (terms->picks)
        g_array_unref(terms->picks);
    terms->picks = NULL;
}
