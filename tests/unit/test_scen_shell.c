/* Shell scripts followed without running them, held to what bash does with the same text: each
 * case's words are what `bash -c` passes to the command called run. */
#include "scen_shell.h"

#include <criterion/criterion.h>
#include <string.h>

/* The words of the commands of @text whose first is run, in brackets; those of other commands not.
 */
static char *words_of(const char *text, GError **error)
{
    const char *pinned[] = {"PINNED=7", "1=first", NULL};
    g_autoptr(ScenShell) shell = scen_shell_read("t.sh", text, pinned, error);
    GString *out = g_string_new(NULL);
    for (guint c = 0; shell && c < shell->commands->len; c++) {
        const GArray *words = shell->commands->pdata[c];
        if (words->len == 0 || !g_str_equal(g_array_index(words, ScenShellWord, 0).text, "run"))
            continue;
        for (guint w = 1; w < words->len; w++)
            g_string_append_printf(out, "[%s]", g_array_index(words, ScenShellWord, w).text);
        g_string_append_c(out, ';');
    }
    return g_string_free(out, FALSE);
}

/* clang-format off */
static const struct {
    const char *text, *want;
} cases[] = {
    {"run a 'b c' \"d e\" f\\ g # h", "[a][b c][d e][f g];"},
    {"X='a b'; run $X \"$X\" x${X}y '$X'", "[a][b][a b][xa][by][$X];"},
    {"run \\\n  a \\\n  b", "[a][b];"},
    {"A=(1 'two three' # four\n 5); run ${A[@]}; run \"${A[@]}\"; run ${A[1]} ${#A[@]} $A", "[1][two][three][5];[1][two three][5];[two][three][3][1];"},
    {"A=(); run x \"${A[@]}\" ${A[@]} \"\" y", "[x][][y];"},
    {"A=(1); A+=(2 3); B=(\"${A[@]}\" 4); run ${B[*]}", "[1][2][3][4];"},
    {"A=('--fp8-format hybrid'); run ${A[@]}", "[--fp8-format][hybrid];"},
    {"X=1; X+=2; run $X ${Y:-d e} ${Y:-\"d e\"} ${X:-d} ${X:+z} ${Y:+z}", "[12][d][e][d e][12][z];"},
    {"N=4; M=$N; run $((N*2 + 1)) $(( ($N - 1) % 2 )) $((-M/3))", "[9][1][-1];"},
    {"PINNED=1; run $PINNED $1", "[7][first];"},
    {"D=fp8; if [[ \"$D\" == \"fp8\" ]]; then run a; else run b; fi", "[a];"},
    {"D=x; if [ $D = y ]; then run a; elif [ -n \"$D\" ]; then run b; else run c; fi", "[b];"},
    {"if [[ -z $U ]] && [ 3 -gt 2 ]; then run a; fi; if ! [ 1 -eq 1 ]; then run b; fi", "[a];"},
    {"D=x; if [[ $D == x ]] || [[ -z $D ]]\nthen\n A=(1)\nelse\n A=(2)\nfi; run $A", "[1];"},
    {"[ -n \"$U\" ] && N=1; [ -z \"$U\" ] && N=2; run $N", "[2];"},
    {"if [ -f x ]; then run a; else run b; fi", "[b];"},
    {"for i in 1 2; do run $i; done; run z", "[z];"},
    {"case x in x) run a;; esac; run z", "[z];"},
    {"f() {\n local X=2\n run $X\n}\nf", "[2];"},
    {"CMD=\"run a\n  b\"; eval $CMD 2>&1 | tee log > x", "[a][b];"},
    {"run $(date) `date`", "[$(date)][`date`];"},
    {"X=a.sh; run ${X%.sh} ${X:0:1}", "[${X%.sh}][${X:0:1}];"},
    {"export X=3 Y; A=1 B=2 run $X", "[3];"},
    {"run a; run b && run c | run d &", "[a];[b];[c];[d];"},
};
/* clang-format on */

Test(scen_shell, words_are_those_of_bash)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *got = words_of(cases[i].text, &error);
        cr_expect_str_eq(got, cases[i].want, "%s: %s%s, not %s", cases[i].text, got,
                         error ? error->message : "", cases[i].want);
    }
}

Test(scen_shell, what_does_not_end_or_grows_without_bound_is_an_error)
{
    static const char *const wrong[] = {"run 'a", "run \"a", "A=(1", "run ${X", "run $((1"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *got = words_of(wrong[i], &error);
        cr_expect(error && strstr(error->message, "t.sh:1:"), "%s: %s", wrong[i], got);
    }
    g_autoptr(GString) text = g_string_new("A=xxxxxxxxxxxxxxxx\n");
    for (int i = 0; i < 40; i++)
        g_string_append(text, "A=$A$A\n");
    g_autoptr(GError) error = NULL;
    g_autofree char *got = words_of(text->str, &error);
    cr_expect(error && strstr(error->message, "more than 4 MiB"), "%s",
              error ? error->message : "read");
}

Test(scen_shell, places_and_notes_have_their_line)
{
    g_autoptr(ScenShell) shell = scen_shell_read(
        "t.sh", "A=(\n  --x 1\n)\nfor i in 1; do :; done\nrun ${A[@]} $LOST\n", NULL, NULL);
    cr_assert(shell != NULL);
    const GArray *words = shell->commands->pdata[shell->commands->len - 1];
    const ScenShellWord *word = &g_array_index(words, ScenShellWord, 1);
    cr_expect_str_eq(word->text, "--x");
    cr_expect(word->line == 2 && word->column == 3);
    cr_assert(shell->notes->len == 1 && shell->unset->len == 1);
    cr_expect_str_eq(shell->notes->pdata[0], "t.sh:4: loops and cases are not followed");
    cr_expect_str_eq(shell->unset->pdata[0], "LOST");
}
