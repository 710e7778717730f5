/* The binder: each kind of field, its mistakes in exact words, lists, fallbacks, nearest names. */
#include "scen_bind.h"
#include "scen_doc.h"
#include "scen_names.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

typedef enum Colour { COLOUR_RED, COLOUR_GREEN } Colour;

typedef struct Inner {
    double size_bytes;
    int64_t count;
} Inner;

typedef struct Outer {
    int64_t whole;
    double number;
    bool flag;
    const char *text;
    const char *kind;
    Colour colour;
    double delay_s;
    Inner inner;
    GArray *rows;
    GArray *numbers;
    int64_t twice;
} Outer;

static const ScenName colours[] = {
    {"red",   COLOUR_RED  },
    {"green", COLOUR_GREEN},
    {NULL,    0           },
};

static const ScenField inner_fields[] = {
    SCEN_FIELD("size", Inner, size_bytes, SCEN_QUANTITY, .required = true,
               .dimension = SCEN_DATA_BYTES, .help = "size, in bytes"),
    SCEN_FIELD("count", Inner, count, SCEN_INT, .min = 1, .max = 8, .fallback = "3",
               .help = "how many"),
};

static const ScenTable inner_table = {
    .what = "inner",
    .fields = inner_fields,
    .count = G_N_ELEMENTS(inner_fields),
    .size = sizeof(Inner),
};

static bool bind_twice(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    (void)field;
    *(int64_t *)slot = node->text ? 2 * g_ascii_strtoll(node->text, NULL, 10) : 0;
    return *(int64_t *)slot != 0;
}

#define FIELD(key, of_kind, ...) SCEN_FIELD(#key, Outer, key, of_kind, __VA_ARGS__)

static const ScenField outer_fields[] = {
    FIELD(whole, SCEN_INT, .required = true, .min = -5, .max = 1000, .help = "a whole number"),
    FIELD(number, SCEN_NUMBER, .min = 0, .max = 10, .help = "a number"),
    FIELD(flag, SCEN_BOOL, .fallback = "true", .help = "a flag"),
    FIELD(text, SCEN_TEXT, .help = "a text"),
    FIELD(kind, SCEN_TEXT, .names = colours, .help = "a text of several"),
    FIELD(colour, SCEN_ENUM, .names = colours, .fallback = "green", .help = "a colour"),
    SCEN_FIELD("delay", Outer, delay_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
               .help = "a delay, in s"),
    FIELD(inner, SCEN_MAP, .table = &inner_table, .help = "a map"),
    FIELD(rows, SCEN_ROWS, .table = &inner_table, .help = "a list of maps"),
    FIELD(numbers, SCEN_NUMBERS, .min = 0, .max = 1, .help = "a list of numbers"),
    FIELD(twice, SCEN_CUSTOM, .bind = bind_twice, .expected = "a number but 0", .help = "doubled"),
};

static const ScenTable outer_table = {
    .what = "outer",
    .fields = outer_fields,
    .count = G_N_ELEMENTS(outer_fields),
    .size = sizeof(Outer),
};

/** Binds @text into @out; the message, which the caller owns, or NULL. */
static char *bind(const char *text, Outer *out, GStringChunk *strings)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GString) path = g_string_new(NULL);
    ScenBinder binder = {.errors = errors, .strings = strings, .folder = ".", .path = path};
    const ScenNode *root =
        scen_doc_parse(pool, "t", SCEN_ORIGIN_DOCUMENT, text, strlen(text), errors);
    cr_assert_not_null(root);
    scen_bind(&binder, &outer_table, root, out);
    g_autoptr(GError) error = NULL;
    return scen_errors_report(errors, &error) ? NULL : g_strdup(error->message);
}

static void outer_clear(Outer *outer)
{
    g_clear_pointer(&outer->rows, g_array_unref);
    g_clear_pointer(&outer->numbers, g_array_unref);
}

Test(scen_bind, every_kind_fills_its_slot)
{
    GStringChunk *strings = g_string_chunk_new(64);
    Outer outer = {0};
    g_autofree char *message = bind(
        "{whole: -5, number: 2.5e0, flag: false, text: 12, kind: red, colour: red, delay: 5 us,"
        " inner: {size: 1 KiB, count: 8}, rows: [{size: 2 B}, {size: 3 B, count: 1}],"
        " numbers: [0, 0.5, 1], twice: 21}",
        &outer, strings);
    cr_assert_null(message, "%s", message);
    cr_expect_eq(outer.whole, -5);
    cr_expect_eq(outer.number, 2.5);
    cr_expect(!outer.flag);
    cr_expect_str_eq(outer.text, "12");
    cr_expect_str_eq(outer.kind, "red");
    cr_expect_eq(outer.colour, COLOUR_RED);
    cr_expect_eq(outer.delay_s, 5e-6);
    cr_expect_eq(outer.inner.size_bytes, 1024.0);
    cr_expect_eq(outer.inner.count, 8);
    cr_expect_eq(outer.rows->len, 2);
    cr_expect_eq(g_array_index(outer.rows, Inner, 0).count, 3);
    cr_expect_eq(g_array_index(outer.rows, Inner, 1).size_bytes, 3.0);
    cr_expect_eq(g_array_index(outer.numbers, double, 1), 0.5);
    cr_expect_eq(outer.twice, 42);
    outer_clear(&outer);
    g_string_chunk_free(strings);
}

Test(scen_bind, fallbacks_stand_for_absent_keys)
{
    GStringChunk *strings = g_string_chunk_new(64);
    Outer outer = {0};
    g_autofree char *message = bind("{whole: 1, inner: {size: 1 B}}", &outer, strings);
    cr_assert_null(message, "%s", message);
    cr_expect(outer.flag);
    cr_expect_eq(outer.colour, COLOUR_GREEN);
    cr_expect_eq(outer.inner.count, 3);
    cr_expect_null(outer.text);
    g_string_chunk_free(strings);
}

static const struct {
    const char *text;
    const char *want;
} wrong[] = {
    {"{}",                             "t:1:1: missing key 'whole' (a whole number)"                             },
    {"[]",                             "t:1:1: outer must be a map, not a list"                                  },
    {"whole: 1001",                    "t:1:8: 'whole' must be a whole number from -5 to 1000, not '1001'"       },
    {"whole: 99999999999999999999",
     "t:1:8: 'whole' must be a whole number from -5 to 1000, not '99999999999999999999'"                         },
    {"whole: 1.5",                     "t:1:8: 'whole' must be a whole number from -5 to 1000, not '1.5'"        },
    {"whole: 010",                     "t:1:8: 'whole' must be a whole number from -5 to 1000, not '010'"        },
    {"whole: 0x1",                     "t:1:8: 'whole' must be a whole number from -5 to 1000, not '0x1'"        },
    {"whole: \"1\"",                   "t:1:8: 'whole' must be a whole number from -5 to 1000, not the text '1'" },
    {"whole:",                         "t:1:7: 'whole' must be a whole number from -5 to 1000, not nothing"      },
    {"whole: [1]",                     "t:1:8: 'whole' must be a whole number from -5 to 1000, not a list"       },
    {"whole: {a: 1}",                  "t:1:8: 'whole' must be a whole number from -5 to 1000, not a map"        },
    {"{whole: 1, number: .nan}",       "t:1:20: 'number' must be a number from 0 to 10, not '.nan'"              },
    {"{whole: 1, number: nan}",        "t:1:20: 'number' must be a number from 0 to 10, not 'nan'"               },
    {"{whole: 1, number: 1e999}",      "t:1:20: 'number' must be a number from 0 to 10, not '1e999'"             },
    {"{whole: 1, number: -1}",         "t:1:20: 'number' must be a number from 0 to 10, not '-1'"                },
    {"{whole: 1, number: 1e}",         "t:1:20: 'number' must be a number from 0 to 10, not '1e'"                },
    {"{whole: 1, flag: yes}",          "t:1:18: 'flag' must be true or false, not 'yes'"                         },
    {"{whole: 1, flag: True}",         "t:1:18: 'flag' must be true or false, not 'True'"                        },
    {"{whole: 1, flag: 'true'}",       "t:1:18: 'flag' must be true or false, not 'true'"                        },
    {"{whole: 1, text: [a]}",          "t:1:18: 'text' must be a text, not a list"                               },
    {"{whole: 1, colour: gren}",
     "t:1:20: 'colour' must be one of red, green, not 'gren', did you mean 'green'?"                             },
    {"{whole: 1, kind: blue}",         "t:1:18: 'kind' must be one of red, green, not 'blue'"                    },
    {"{whole: 1, delay: 5}",           "t:1:19: 'delay': '5' has no unit: expected a time with a unit of "
                             "ns us ms s min h d, as in '5 us'"                      },
    {"{whole: 1, delay: [5 us]}",      "t:1:19: 'delay' must be a time with a unit of "
                                  "ns us ms s min h d, as in '5 us', not a list"},
    {"{whole: 1, inner: 5}",           "t:1:19: 'inner' must be a map, not '5'"                                  },
    {"{whole: 1, inner: {size: 0 B}}", "t:1:26: 'size' must be above zero, not '0 B'"                            },
    {"{whole: 1, inner: {}}",          "t:1:19: missing key 'size' (size, in bytes)"                             },
    {"{whole: 1, rows: {}}",           "t:1:18: 'rows' must be a list of maps, not a map"                        },
    {"{whole: 1, rows: [3]}",          "t:1:19: 'rows' must be a list of maps, not '3'"                          },
    {"{whole: 1, rows: [{size: 1}]}",
     "t:1:26: 'size': '1' has no unit: expected a size with a unit of B kB MB GB TB PB KiB MiB GiB "
     "TiB PiB, as in '80 GiB'"                                                                                   },
    {"{whole: 1, numbers: [0, 2]}",
     "t:1:25: 'numbers' must be a list of numbers from 0 to 1, not '2'"                                          },
    {"{whole: 1, twice: x}",           "t:1:19: 'twice' must be a number but 0, not 'x'"                         },
    {"{whole: 1, coluor: red}",
     "t:1:12: unknown key 'coluor' in outer, did you mean 'colour'? Known: whole, number, flag, "
     "text, kind, colour, delay, inner, rows, numbers, twice"                                                    },
    {"{whole: 1, zzz: red}",
     "t:1:12: unknown key 'zzz' in outer, known: whole, number, flag, text, kind, colour, delay, "
     "inner, rows, numbers, twice"                                                                               },
};

Test(scen_bind, mistakes_are_told_in_full)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        GStringChunk *strings = g_string_chunk_new(64);
        Outer outer = {0};
        g_autofree char *message = bind(wrong[i].text, &outer, strings);
        cr_assert_not_null(message, "%s passed", wrong[i].text);
        cr_expect_str_eq(message, wrong[i].want, "%s\n", message);
        outer_clear(&outer);
        g_string_chunk_free(strings);
    }
}

Test(scen_bind, all_mistakes_come_at_once_in_file_order)
{
    GStringChunk *strings = g_string_chunk_new(64);
    Outer outer = {0};
    g_autofree char *message =
        bind("delay: 5 W\nflag: on\nwhole: x\ninner: {count: 9}\nnope: 1\n", &outer, strings);
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    cr_assert_eq(g_strv_length(lines), 6, "%s", message);
    const char *starts[] = {"t:1:8: 'delay'", "t:2:7: 'flag'",   "t:3:8: 'whole'",
                            "t:4:8: missing", "t:4:16: 'count'", "t:5:1: unknown key"};
    for (size_t i = 0; i < 6; i++)
        cr_expect(g_str_has_prefix(lines[i], starts[i]), "%s", lines[i]);
    g_string_chunk_free(strings);
}

Test(scen_bind, endless_mistakes_make_a_short_message)
{
    GStringChunk *strings = g_string_chunk_new(64);
    Outer outer = {0};
    g_autoptr(GString) text = g_string_new("whole: 1\n");
    for (int i = 0; i < 50000; i++)
        g_string_append_printf(text, "k%d: 1\n", i);
    g_autofree char *message = bind(text->str, &outer, strings);
    cr_expect(g_str_has_suffix(message, "\nand 49900 more"), "%s", strrchr(message, '\n'));
    g_string_chunk_free(strings);
}

Test(scen_bind, a_document_of_its_own_needs_only_a_table)
{
    g_autofree char *folder = g_dir_make_tmp("scen-bind-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "x.yaml", NULL);
    GStringChunk *strings = g_string_chunk_new(64);
    Inner inner = {0};
    cr_assert(g_file_set_contents(path, "size: 1 MB\n", -1, NULL));
    cr_expect(scen_bind_file(path, &inner_table, strings, &inner, NULL));
    cr_expect_eq(inner.size_bytes, 1e6);
    g_autoptr(GError) error = NULL;
    cr_assert(g_file_set_contents(path, "sise: 1 MB\n", -1, NULL));
    cr_expect(!scen_bind_file(path, &inner_table, strings, &inner, &error));
    cr_expect(g_error_matches(error, SCEN_ERROR, SCEN_ERROR_WRONG));
    cr_expect(strstr(error->message, "did you mean 'size'?"), "%s", error->message);
    g_string_chunk_free(strings);
    g_remove(path);
    g_rmdir(folder);
}

static const struct {
    const char *name;
    const char *want;
} names[] = {
    {"tensr",     "tensor"   },
    {"tesnor",    "tensor"   },
    {"Tensor",    "tensor"   },
    {"pipelines", "pipeline" },
    {"zzz",       NULL       },
    {"",          NULL       },
    {"gpt3",      "gpt3-175b"},
    {"dat",       "data"     },
    {"x",         NULL       },
};

Test(scen_bind, the_nearest_name_is_the_likely_one)
{
    const char *known[] = {"tensor", "pipeline", "data", "gpt3-175b"};
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        g_ptr_array_add(list, (void *)known[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *got = scen_names_nearest(names[i].name, list);
        cr_expect_eq(g_strcmp0(got, names[i].want), 0, "%s: %s", names[i].name, got ? got : "none");
    }
    g_autofree char *huge = g_strnfill(1000000, 't');
    cr_expect_null(scen_names_nearest(huge, list));
}
