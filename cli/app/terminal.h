// Output for people and programs. Data goes to standard output, everything else to standard error; colour and moving
// lines only to a terminal that wants them (NO_COLOR, CLICOLOR_FORCE, TERM=dumb, --color). Passwords and tokens in URLs are
// masked in everything that goes to standard error, as in the log.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "pool/util/result.h"
#include "pool/util/text.h"

namespace cultivar {

enum class Paint { none, good, bad, dim, strong };

enum class Format { text, json };
enum class Notes { shown, hidden };
enum class Color { automatic, always, never };

struct UiOptions {
    Format format = Format::text;
    Notes notes = Notes::shown;
    Color color = Color::automatic;
};

class Ui {
public:
    void configure(const UiOptions& options);

    bool json() const { return options_.format == Format::json; }
    bool quiet() const { return options_.notes == Notes::hidden; }
    bool moving() const { return moving_; }  // may a line on standard error be redrawn?
    // Columns of standard output, now; 0: not a terminal, no limit.
    std::size_t width() const;

    void print(std::string_view text);     // data, unchanged
    void note(std::string_view line);      // one line on standard error, unless quiet
    void warn(std::string_view line);      // "cultivar: warning: ..."
    void error(const Error& error);        // "cultivar: ..." and "hint: ..."
    void progress(std::string_view line);  // redraws the terminal's last line, cut to its width; nothing elsewhere
    void clear_progress();

    std::string paint(Paint paint, std::string_view text) const;  // for standard output

    // Flushes standard output; false when something could not be written (a full disk).
    bool finish();

private:
    UiOptions options_;
    bool painted_ = false, moving_ = false;
    std::atomic<bool> drawn_ = false;  // a progress line stands there; the log clears it from any thread
};

// The number of characters of UTF-8; each is taken to be one column wide.
std::size_t characters(std::string_view text);
// The first `count` characters.
std::string_view first_characters(std::string_view text, std::size_t count);

// 7 -> "7 s", 75 -> "1 min 15 s", 7500 -> "2 h 5 min".
std::string duration_text(double seconds);
// A record's time as it is shown: "2999-01-01T00:00:00Z ?" when it is still to come, by this machine's clock.
std::string time_text(const std::string& utc, std::int64_t now_s);
bool is_to_come(const std::string& utc, std::int64_t now_s);  // by more than clocks differ in good order
std::string bytes_text(double bytes);                         // "4.0 MiB"
// "1.2 kJ (measured, within 5 %)", "4.5 kJ (estimated, within a factor of 2)". `error`: the true value lies between joules /
// (1 + error) and joules * (1 + error). Without a method, as of a sum, the words go by the error. The one way to show
// joules: none is ever shown as more certain than it is.
std::string joules_text(double joules, double error, std::string_view method = {});
std::string counted(std::int64_t count, std::string_view noun);  // "1 run", "2 runs"

}  // namespace cultivar
