// The program under test.
#pragma once

#include <string>

namespace cultivar {

inline const std::string kProgram = std::string(CULTIVAR_PROGRAMS) + "/cultivar";

}  // namespace cultivar
