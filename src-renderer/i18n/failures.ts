import type { Failure } from '../../src-main/contract/basics.ts'

/**
 * What went wrong, in the window's language. Main and the engine say it in one English line with names, numbers and what was expected; here a code has a headline, and the line
 * stays behind it as the detail that someone who helps can search for.
 */
export interface FailureWords {
  /** By code; a code that is not here is shown as its line alone. */
  readonly headlines: Readonly<Record<string, string>>
  /** By code: nothing in the line that a person would miss. */
  readonly whole: Readonly<Record<string, string>>
}

/** The lines are English as they are. */
export const failuresEn: FailureWords = { headlines: {}, whole: {} }

export const failuresDe: FailureWords = {
  headlines: {
    'bad-candidate': 'Dieser Kandidat gehört nicht zum Dokument',
    'bad-config': 'Eine Datei des Modells hat unerwarteten Inhalt',
    'bad-cutout': 'Der Freisteller passt nicht zum Motivbild',
    'bad-dataset': 'Der Datensatz ist nicht lesbar',
    'bad-document': 'Das Dokument ist nicht lesbar',
    'bad-image': 'Das Bild ist nicht lesbar oder zu groß',
    'bad-mask': 'Die Maske passt nicht zum Bild',
    'bad-path': 'Der Dateiname passt nicht',
    'bad-png': 'Das Bild ist keine PNG-Datei',
    'bad-profile': 'Das Farbprofil ist nicht verwendbar',
    'bad-recipe': 'Das Rezept in der Datei ist beschädigt',
    'bad-benchmark': 'Der Benchmark ist nicht lesbar',
    'bad-results': 'Die Ergebnisse sind nicht lesbar',
    'bad-setting': 'Eine Einstellung passt nicht',
    'bad-size': 'Die Größe passt nicht zum Modell',
    'bad-subject': 'Das Motiv lässt sich nicht verwenden',
    'bad-weights': 'Eine Gewichtsdatei ist beschädigt oder von unbekannter Form',
    'blob-damaged': 'Ein Bild des Dokuments ist beschädigt',
    'blob-missing': 'Ein Bild des Dokuments fehlt',
    'catalogue-damaged': 'Der Modellkatalog ist nicht lesbar',
    'dataset-changed': 'Der Datensatz wurde inzwischen neu gebaut; bitte neu öffnen',
    'disk-full': 'Der Platz auf dem Datenträger reicht nicht',
    'does-not-fit': 'Der Auftrag passt nicht in den Speicher',
    'download-damaged': 'Der Server hat falsche Daten geschickt',
    'download-failed': 'Der Download ist fehlgeschlagen',
    'download-incomplete': 'Auf dem Server fehlen Dateien',
    'download-refused': 'Der Server hat den Download abgelehnt',
    'empty-subject': 'Das Motiv ist leer: der Freisteller muss etwas vom Bild enthalten',
    'encode-failed': 'Das Bild konnte nicht geschrieben werden',
    'engine-error': 'In der Engine ist ein Fehler aufgetreten',
    'engine-failed': 'Die Engine ist mehrmals hintereinander stehen geblieben',
    'file-unreadable': 'Eine Datei ist nicht lesbar',
    'library-damaged': 'Die Liste der Modellbibliothek ist nicht lesbar',
    'model-cannot': 'Dieses Modell kann das nicht',
    'model-changed': 'Das Rezept gehört zu einem anderen Stand dieses Modells',
    'model-damaged': 'Das Modell ist beschädigt oder unvollständig',
    'model-incomplete': 'Dem Modell fehlen Teile',
    'model-known': 'Dieses Modell ist schon in der Bibliothek',
    'model-location': 'Die Dateien eines Netzes liegen auf verschiedenen Laufwerken',
    'model-mismatch': 'Die Teile des Modells passen nicht zusammen',
    'model-missing': 'Das Modell ist nicht da',
    'model-unknown': 'Das ist kein Modell, das Larkspur kennt',
    'newer-document': 'Das Dokument stammt von einer neueren Version',
    'no-pictures': 'Es sind keine passenden Bilder da',
    'not-downloadable': 'Dieses Modell muss von Hand geholt werden',
    'not-recoverable': 'Das Dokument lässt sich nicht wiederherstellen',
    'other-evaluation': 'Die Ergebnisse gehören zu einer anderen Auswertung',
    'photo-moved': 'Die Fotos des Datensatzes liegen woanders',
    'provider-missing': 'Diesen Provider gibt es hier nicht',
    'write-failed': 'Schreiben nicht möglich',
    defect: 'In Larkspur ist ein Fehler aufgetreten',
  },
  whole: {
    busy: 'Gerade zu viel auf einmal, oder ein anderes Larkspur arbeitet daran. Bitte gleich noch einmal versuchen.',
    cancelled: 'Angehalten. Was da ist, bleibt, und der nächste Start macht dort weiter.',
    closed: 'Das Dokument wurde inzwischen geschlossen.',
    'document-open': 'Dieses Dokument ist offen; bitte zuerst schließen.',
    'empty-mask': 'Die Maske ist leer oder zu schwach; bitte den Bereich markieren, der neu gemalt werden soll.',
    'engine-rested': 'Die Engine hat den GPU-Speicher freigegeben.',
    'engine-restarted': 'Die Engine wurde neu gestartet. Das Dokument ist, wie es war.',
    'engine-stopped': 'Die Engine ist mitten in der Arbeit stehen geblieben und startet neu. Das Dokument ist, wie es war; bitte noch einmal erzeugen.',
    'full-mask': 'Die Maske bedeckt das ganze Bild: Zum Füllen muss etwas Umgebung unmarkiert bleiben.',
    'mask-empty': 'Die Maske ist leer; bitte den Bereich markieren, der neu gemalt werden soll.',
    'no-dataset': 'Dieser Datensatz ist nicht mehr offen.',
    'no-document': 'Dieses Dokument ist nicht mehr offen.',
    'no-evaluation': 'Diese Auswertung ist nicht mehr offen.',
    'no-prompt': 'Es fehlt ein Text.',
    'no-subject': 'Es fehlt ein Motiv.',
    'nothing-asked': 'Es fehlt ein Motiv oder ein Text.',
    'out-of-memory': 'Der Speicher hat für diesen Auftrag nicht gereicht; bitte andere Programme schließen oder eine kleinere Größe wählen.',
    'photo-stays': 'Das Foto lässt sich nicht entfernen, nur ausblenden.',
  },
}

/** One line of a failure. */
export function failureText({ headlines, whole }: FailureWords, { code, message }: Failure): string {
  if (Object.hasOwn(whole, code)) return whole[code] ?? message
  return Object.hasOwn(headlines, code) ? `${headlines[code]}: ${message}` : message
}
