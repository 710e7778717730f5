/* `orrery spares`: how many spares keep a fleet whole, by the formulas of strat_spare_sizing.c. */
#include "scen_cmd.h"

#include "scen_json.h"
#include "scen_options.h"
#include "scen_quantity.h"
#include "strat_spare_sizing.h"

#include <math.h>
#include <stdio.h>

#define I64 "%" G_GINT64_FORMAT

static const double HOUR_S = 3600.0;

static const ScenUsage usage = {
    .command = "spares",
    .arguments = "--units N --mtbf TIME --away TIME",
    .summary =
        "How many spares a job or a pool needs, of whose nodes (or replicas) each fails once\n"
        "in --mtbf and is then away for --away until it stands by again:\n"
        "  orrery spares --units 152 --mtbf '289 h' --away '2.2 h' --target 0.999",
};

typedef struct Options {
    gint64 units;
    double mtbf_s, away_s, horizon_s, target;
    gboolean json;
} Options;

static void print_text(const Options *o, const StratSpareNeed *need, const int64_t spares[3])
{
    static const char *const what[] = {
        "all run for that share of the time (Poisson)",
        "all run for the whole horizon with that chance",
        "a fleet of fixed size, each away by chance (binomial)",
    };
    printf(I64 " units, MTBF %.5g h each, away for %.5g h: %.4g away on average; target %.6g, "
               "horizon %.5g h\n",
           o->units, o->mtbf_s / HOUR_S, o->away_s / HOUR_S, strat_spares_away(need), o->target,
           o->horizon_s / HOUR_S);
    for (int i = 0; i < 3; i++)
        printf("%6" G_GINT64_FORMAT " spares (%5.2f %%)  %s\n", spares[i],
               100.0 * (double)spares[i] / (double)o->units, what[i]);
}

static void print_json(const Options *o, const StratSpareNeed *need, const int64_t spares[3])
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_integer(json, "units", o->units);
    scen_json_number(json, "mtbf_s", o->mtbf_s);
    scen_json_number(json, "away_s", o->away_s);
    scen_json_number(json, "horizon_s", o->horizon_s);
    scen_json_number(json, "target_fraction", o->target);
    scen_json_number(json, "away_mean", strat_spares_away(need));
    scen_json_integer(json, "spares_for_time", spares[0]);
    scen_json_integer(json, "spares_for_horizon", spares[1]);
    scen_json_integer(json, "spares_binomial", spares[2]);
    json_builder_end_object(json);
    g_autofree char *text = scen_json_finish(json);
    fputs(text, stdout);
}

/* One time of the command line; @text NULL: @value stays. */
static bool read_time(const char *option, const char *text, double *value, GError **error)
{
    if (!text || scen_quantity_parse(text, SCEN_TIME_S, value, error))
        return true;
    g_prefix_error(error, "--%s: ", option);
    return false;
}

ScenExit scen_cmd_spares(int argc, char **argv)
{
    (void)argc;
    g_autofree char *mtbf = NULL, *away = NULL, *horizon = NULL;
    g_autoptr(GError) error = NULL;
    Options o = {.target = 0.999, .horizon_s = 730.0 * HOUR_S};
    const GOptionEntry entries[] = {
        {"units",   0, 0, G_OPTION_ARG_INT64, &o.units, "Nodes or replicas that have to run", "N"},
        {"mtbf",        0, 0, G_OPTION_ARG_STRING, &mtbf, "From failure to failure of one of them",
         "TIME"},
        {"away", 0, 0, G_OPTION_ARG_STRING, &away, "Until what failed stands by again", "TIME"},
        {"target",      0, 0, G_OPTION_ARG_DOUBLE, &o.target, "Share or chance (default: 0.999)", "X"},
        {"horizon",    0, 0, G_OPTION_ARG_STRING, &horizon, "Of a job (default: 730 h)", "TIME"},
        {"json",        0, 0, G_OPTION_ARG_NONE, &o.json, "Print JSON instead of text", NULL},
        {0   },
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!mtbf || !away || o.units < 1 || o.units > 100000000)
        return scen_options_wrong(&usage, "needs --units (1 to 1e8), --mtbf and --away");
    if (!(o.target > 0.0 && o.target <= 1.0 - 1e-9))
        return scen_options_wrong(&usage, "--target lies between 0 and 1 - 1e-9");
    if (!read_time("mtbf", mtbf, &o.mtbf_s, &error) ||
        !read_time("away", away, &o.away_s, &error) ||
        !read_time("horizon", horizon, &o.horizon_s, &error))
        return scen_fail(error);
    if (o.mtbf_s <= 0.0)
        return scen_options_wrong(&usage, "--mtbf is above 0");
    StratSpareNeed need = {o.units, o.mtbf_s, o.away_s};
    const int64_t spares[] = {
        strat_spares_for_time(&need, o.target),
        strat_spares_for_horizon(&need, o.horizon_s, o.target),
        strat_spares_binomial(o.units, o.away_s / (o.mtbf_s + o.away_s), o.target),
    };
    (o.json ? print_json : print_text)(&o, &need, spares);
    return SCEN_EXIT_OK;
}
