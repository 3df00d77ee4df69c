package nl.spreekkamer;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/** Validates FHIR R4 JSON files without any network; exit 1 when one of them has an error. */
public final class Validate {
  public static void main(String[] paths) throws IOException {
    if (paths.length == 0) {
      System.err.println("usage: Validate file.json or directory…");
      System.exit(2);
    }
    FhirValidator validator = validator();
    Map<ResultSeverityEnum, Integer> total = new EnumMap<>(ResultSeverityEnum.class);
    List<Path> files = files(paths);
    for (Path path : files) {
      String json = Files.readString(path);
      for (SingleValidationMessage m : validator.validateWithResult(json).getMessages()) {
        total.merge(m.getSeverity(), 1, Integer::sum);
        if (m.getSeverity().ordinal() >= ResultSeverityEnum.WARNING.ordinal()) {
          System.out.printf("%s: %s: %s: %s%n", path, m.getSeverity().getCode(), m.getLocationString(), m.getMessage());
        }
      }
    }
    System.out.printf("%d files, %s%n", files.size(), total);
    boolean wrong = total.containsKey(ResultSeverityEnum.ERROR) || total.containsKey(ResultSeverityEnum.FATAL);
    System.exit(wrong ? 1 : 0);
  }

  /** Every .json in the directories, and the files that are named themselves. */
  private static List<Path> files(String[] paths) throws IOException {
    List<Path> all = new ArrayList<>();
    for (String path : paths) {
      try (Stream<Path> below = Files.walk(Path.of(path))) {
        below.filter(p -> Files.isRegularFile(p) && p.toString().endsWith(".json")).sorted().forEach(all::add);
      }
    }
    return all;
  }

  /** The base R4 profiles; a code system we do not have (BSN roles, LOINC) is a warning, not an error. */
  private static FhirValidator validator() {
    FhirContext r4 = FhirContext.forR4();
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(r4);
    unknown.setNonExistentCodeSystemSeverity(ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain = new ValidationSupportChain(
        new DefaultProfileValidationSupport(r4),
        new CommonCodeSystemsTerminologyService(r4),
        new InMemoryTerminologyServerValidationSupport(r4),
        unknown);
    FhirInstanceValidator instance = new FhirInstanceValidator(chain);
    instance.setErrorForUnknownProfiles(true);
    return r4.newValidator().registerValidatorModule(instance);
  }
}
