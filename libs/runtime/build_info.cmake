# Writes OUT, unless it already says the same: version, commit and build type of this build.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(commit unknown)
endif()
set(content "#include \"build_info.h\"

namespace kessai::runtime {

const BuildInfo& ThisBuild() {
    static const BuildInfo info{\"${VERSION}\", \"${commit}\", \"${BUILD_TYPE}\"};
    return info;
}

}  // namespace kessai::runtime
")
set(present "")
if(EXISTS ${OUT})
    file(READ ${OUT} present)
endif()
if(NOT present STREQUAL content)
    file(WRITE ${OUT} "${content}")
endif()
