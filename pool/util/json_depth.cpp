#include "pool/util/json_depth.h"

namespace cultivar {

bool nests_deeper(std::string_view json, int depth) {
    int open = 0;
    bool in_text = false;
    for (std::size_t at = 0; at < json.size(); ++at) {
        const char one = json[at];
        if (in_text && one == '\\') ++at;  // whatever follows ends no text
        if (one == '"') in_text = !in_text;
        if (in_text) continue;
        if ((one == '[' || one == '{') && ++open > depth) return true;
        if (one == ']' || one == '}') --open;
    }
    return false;
}

}  // namespace cultivar
