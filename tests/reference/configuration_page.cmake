# Compares PAGE with what BINARY says of its keys; with WRITE, writes it.
execute_process(COMMAND ${BINARY} config-reference OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
set(content "# Configuration of ${SERVICE}

Printed by `kessai-${SERVICE} config-reference`; a test compares the two. The file is given with
`--config`, the environment wins over it, and unknown keys are refused.

${table}")
if(WRITE)
    file(WRITE ${PAGE} "${content}")
    return()
endif()
set(page "")
if(EXISTS ${PAGE})
    file(READ ${PAGE} page)
endif()
if(NOT page STREQUAL content)
    message(FATAL_ERROR "${PAGE} is not what ${SERVICE} says of its keys: "
                        "cmake --build build/dev --target configuration_reference")
endif()
