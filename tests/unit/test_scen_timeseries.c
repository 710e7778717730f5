/* Logged curves: what is read, what is refused, and how far two curves are apart. */
#include "scen_serve_curves.h"
#include "scen_timeseries.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <glib/gstdio.h>

static GArray *read_text(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("timeseries-XXXXXX", &path, NULL);
    cr_assert(file >= 0 && g_file_set_contents(path, text, -1, NULL));
    GArray *samples = scen_timeseries_read(path, error);
    g_close(file, NULL);
    g_remove(path);
    return samples;
}

static StratServeSample at(const GArray *samples, guint index)
{
    return g_array_index(samples, StratServeSample, index);
}

Test(scen_timeseries, either_set_of_names_is_read)
{
    g_autoptr(GArray) logged =
        read_text("t,running,waiting,kv_cache_pct\n1,5,2,13.5\n2,6,0,50\n", NULL);
    g_autoptr(GArray) own = read_text("at_s,running,waiting,kv_fraction\n1,5,2,0.135\n", NULL);
    cr_assert(logged && own && logged->len == 2 && own->len == 1);
    cr_expect(ieee_ulp_eq(dbl, at(logged, 0).kv_fraction, 0.135, 4));
    cr_expect(ieee_ulp_eq(dbl, at(own, 0).kv_fraction, 0.135, 4));
    cr_expect(eq(dbl, at(logged, 1).running, 6.0));
    cr_expect(eq(dbl, at(logged, 0).waiting, 2.0));
}

Test(scen_timeseries, what_is_no_table_of_curves_is_refused_with_its_line)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"t,running,waiting\n1,2,3\n",                        "no column kv_fraction or kv_cache_pct"},
        {"t,running,waiting,kv_fraction\n1,2,many,0\n",       ":2:"                                  },
        {"t,running,waiting,kv_fraction\n2,2,3,0\n1,2,3,0\n", ":3: 1 s comes after 2 s"              },
        {"t,running,waiting,kv_fraction\n2,2,3\n",            ":2:"                                  },
        {"",                                                  "empty"                                },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) samples = read_text(cases[i].text, &error);
        cr_expect(samples == NULL && error && strstr(error->message, cases[i].message),
                  "case %zu: %s", i, error ? error->message : "read");
    }
}

Test(scen_timeseries, the_gap_of_two_curves_is_that_at_the_measured_instants)
{
    g_autoptr(GArray) predicted =
        read_text("at_s,running,waiting,kv_fraction\n0,4,0,0\n10,8,0,0.5\n", NULL);
    g_autoptr(GArray) measured =
        read_text("at_s,running,waiting,kv_fraction\n5,6,0,0\n10,7,0,0.25\n11,1,0,0\n", NULL);
    double most;
    /* |4 - 6|, |8 - 7|, and after its last sample the run is over: |0 - 1| */
    double gap = scen_serve_curve_gap(scen_serve_curve(0), predicted, measured, &most);
    cr_expect(ieee_ulp_eq(dbl, gap, 4.0 / 3.0, 4));
    cr_expect(eq(dbl, most, 7.0));
    gap = scen_serve_curve_gap(scen_serve_curve(2), predicted, measured, &most);
    cr_expect(ieee_ulp_eq(dbl, gap, 25.0 / 3.0, 4));
}
