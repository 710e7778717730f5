/* Published figures as they are written: what counts as met, and what is refused. */
#include "scen_load.h"

#include <criterion/criterion.h>

#include <math.h>

static ScenScenario *load(const char *figure, GError **error)
{
    g_autofree char *text = g_strconcat("cluster: {node: dgx-a100-80gb, gpus: 16}\n"
                                        "campaign:\n"
                                        "  duration: 1 d\n"
                                        "  step_time: 10 s\n"
                                        "  faults: rsc-1\n"
                                        "  checkpoint: {interval: 1 h}\n"
                                        "  recovery: {policy: restart}\n"
                                        "expect:\n"
                                        "  figures:\n"
                                        "    - {",
                                        figure, "}\n", NULL);
    ScenLoadOptions options = {0};
    return scen_scenario_parse("s.yaml", text, strlen(text), &options, error);
}

static const struct {
    const char *figure;
    double least, most;
} sound[] = {
    {"figure: interruptions, published: 419, tolerance: 41",                  378.0,     460.0   },
    {"figure: interruptions, published: 100, tolerance: poisson",             80.0,      120.0   },
    {"figure: ettr, published: 0.9, tolerance: 10 %",                         0.81,      0.99    },
    {"figure: ettr, at_least: 0.9",                                           0.9,       INFINITY},
    {"figure: ettr, at_most: 0.9",                                            -INFINITY, 0.9     },
    {"figure: interruptions, at_least: 1, at_most: 2",                        1.0,       2.0     },
    {"figure: mttf, published: 2 h, tolerance: 5 %",                          6840.0,    7560.0  },
    {"figure: recovery, published: 150 s, tolerance: 1 min",                  90.0,      210.0   },
    {"figure: lost, of: rework, published: 0.02, tolerance: 0.005",           0.015,     0.025   },
 /* A ratio of times is a plain number. */
    {"figure: recovery, published: 0.1, tolerance: 50 %, with: {}, over: {}", 0.05,      0.15    },
};

Test(scen_figure, what_counts_as_met_follows_from_what_is_written)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sound); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) scenario = load(sound[i].figure, &error);
        cr_assert(scenario, "%s: %s", sound[i].figure, error ? error->message : "");
        cr_expect(scenario->campaign.is_alone);
        const ScenFigure *figure = &g_array_index(scenario->expect.figures, ScenFigure, 0);
        cr_expect(figure->least == sound[i].least || fabs(figure->least - sound[i].least) < 1e-9,
                  "%s: at least %g", sound[i].figure, figure->least);
        cr_expect(figure->most == sound[i].most || fabs(figure->most - sound[i].most) < 1e-9,
                  "%s: at most %g", sound[i].figure, figure->most);
    }
}

static const struct {
    const char *figure, *fault;
} wrong[] = {
    {"figure: luck, at_least: 1",                                   "the name of a figure"        },
    {"figure: ettr",                                                "published and tolerance, or" },
    {"figure: ettr, published: 0.9",                                "published and tolerance, or" },
    {"figure: ettr, published: 0.9, tolerance: 0.1, at_least: 0.5", "published and tolerance, or" },
    {"figure: ettr, tolerance: 0.1",                                "a tolerance needs published" },
    {"figure: ettr, published: much, tolerance: 0.1",               "'published' must be a number"},
    {"figure: mttf, published: 2, tolerance: 5 %",                  "must be a time with its unit"},
    {"figure: mttf, published: 2 h, tolerance: poisson",            "poisson (of a count)"        },
    {"figure: ettr, published: 0.9, tolerance: wide",               "in the figure's unit"        },
    {"figure: lost, of: luck, at_most: 1",                          "a bucket of the campaign's"  },
    {"figure: ettr, of: rework, at_most: 1",                        "must be left out"            },
    {"figure: memory_chance, of: two, at_most: 1",                  "a whole number above 0"      },
    {"figure: ettr, at_least: 0.9, with: {a.b: [1]}",               "a map of settings"           },
};

Test(scen_figure, what_is_wrong_is_said)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) scenario = load(wrong[i].figure, &error);
        cr_assert_null(scenario, "%s", wrong[i].figure);
        cr_expect(strstr(error->message, wrong[i].fault), "%s: %s", wrong[i].figure,
                  error->message);
    }
}

Test(scen_figure, every_figure_has_a_name_of_its_own_and_a_definition)
{
    for (int k = 0; k < SCEN_FIGURE_COUNT; k++) {
        cr_expect(strlen(scen_figure_definition((ScenFigureKind)k)) > 10);
        for (int j = 0; j < k; j++)
            cr_expect_str_neq(scen_figure_key((ScenFigureKind)k),
                              scen_figure_key((ScenFigureKind)j));
    }
}
