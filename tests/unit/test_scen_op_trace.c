/* Operation traces: order of rows and columns, gzip, and every mistake with its line. */
#include "scen_gzip.h"
#include "scen_op_trace.h"

#include <criterion/criterion.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define HEADER "step,dp,pp,op,start_us,dur_us\n"
#define PASSES                                                                                     \
    "3,0,0,backward-compute,20.5,30\n"                                                             \
    "3,0,0,forward-compute,10,10.5\n"

/* Writes @length bytes to a file of its own and reads it. */
static StratReplay *read_bytes(const char *bytes, gssize length, GError **error)
{
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("ops-XXXXXX", &path, NULL);
    cr_assert(file >= 0 && g_close(file, NULL) && g_file_set_contents(path, bytes, length, NULL));
    StratReplay *replay = scen_op_trace_read(path, error);
    g_unlink(path);
    return replay;
}

static GBytes *pack(const char *text)
{
    g_autoptr(GOutputStream) packed = g_memory_output_stream_new_resizable();
    g_autoptr(GZlibCompressor) gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
    g_autoptr(GOutputStream) stream = g_converter_output_stream_new(packed, G_CONVERTER(gzip));
    cr_assert(g_output_stream_write_all(stream, text, strlen(text), NULL, NULL, NULL));
    cr_assert(g_output_stream_close(stream, NULL, NULL));
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(packed));
}

Test(scen_op_trace, rows_come_in_any_order_and_columns_too)
{
    const char text[] = "mb,op,dur_us,start_us,pp,dp,step\n"
                        "0,backward-compute,30,20.5,0,0,3\n"
                        "# a remark\n"
                        "0,forward-compute,10.5,10,0,0,3\n";
    g_autoptr(StratReplay) replay = read_bytes(text, -1, NULL);
    cr_assert_not_null(replay);
    cr_expect_eq(replay->op_count, 2);
    cr_expect_eq(replay->ops[0].kind, STRAT_REPLAY_FORWARD);
    cr_expect_eq(replay->ops[0].start_ns, 10000);
    cr_expect_eq(replay->ops[0].duration_ns, 10500);
    cr_expect_eq(replay->ops[1].step, 3);
}

Test(scen_op_trace, a_packed_trace_reads_like_a_plain_one)
{
    g_autoptr(GBytes) packed = pack(HEADER PASSES);
    gsize length = 0;
    const char *bytes = g_bytes_get_data(packed, &length);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratReplay) replay = read_bytes(bytes, (gssize)length, &error);
    cr_assert_not_null(replay, "%s", error ? error->message : "");
    cr_expect_eq(replay->op_count, 2);
    g_autoptr(StratReplay) cut = read_bytes(bytes, (gssize)length / 2, &error);
    cr_assert_null(cut);
    cr_expect_not_null(strstr(error->message, "cannot be unpacked: "), "%s", error->message);
    g_clear_error(&error);
    cr_expect_null(scen_gzip_inflate(bytes, length, 8, &length, &error));
    cr_expect_not_null(strstr(error->message, "unpacks to more than"));
}

Test(scen_op_trace, mistakes_are_named_with_their_line)
{
    static const struct {
        const char *text, *says;
    } faults[] = {
        {"step,dp,pp,op,start_us\n",           ":1: no column 'dur_us': an operation trace has step, dp"            },
        {HEADER "3,0,0,forward-comput,1,1\n",  ":2: unknown operation 'forward-comput', did you "
                                              "mean 'forward-compute'?"},
        {HEADER PASSES "3,0,0,gc,x,1\n",       ":4: start_us must be a number"                                      },
        {HEADER PASSES "3,0,0,gc,-1,1\n",      ":4: start_us must be a number"                                      },
        {HEADER PASSES "3,0,0,gc,1,-10001\n",  ":4: dur_us must be a number from -10000"                            },
        {HEADER PASSES "3,0,0,gc,1e16,1\n",    ":4: a time must be below 2^52 us"                                   },
        {HEADER PASSES "3,-1,0,gc,1,1\n",      ":4: dp must be a number"                                            },
        {HEADER PASSES "3,0,9999999,gc,1,1\n", ":4: dp and pp must be below 1048576"                                },
        {HEADER PASSES "3.5,0,0,gc,1,1\n",     ":4: step must be a whole number"                                    },
        {HEADER PASSES "3,0,0,gc,1\n",         ":4: 5 fields where the header has 6"                                },
        {HEADER "3,0,0,forward-compute,1,1\n", ": step 3: the worker dp 0, pp 0 has 0 backward-"                    },
        {HEADER,                               ": a trace holds from 1 to"                                          },
        {"",                                   ": the table is empty"                                               },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(StratReplay) replay = read_bytes(faults[i].text, -1, &error);
        cr_assert_null(replay, "case %zu", i);
        cr_expect_not_null(strstr(error->message, faults[i].says), "case %zu: %s", i,
                           error->message);
    }
}

Test(scen_op_trace, a_duration_may_be_a_little_below_nothing)
{
    g_autoptr(StratReplay) replay = read_bytes(HEADER PASSES "3,0,0,optimizer,60,-75\n", -1, NULL);
    cr_assert_not_null(replay);
    cr_expect_eq(replay->work_ns[2], 0);
}
